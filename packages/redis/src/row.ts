import type { Row } from '@session-stores/core'

/**
 * A session's string: a head, then the payload.
 *
 *     1 expiresAt(16) createdAt(16) kind(1) tag ' ' user ' ' data
 *     ^ version; places 2-17; 18-33; 34: s(ession) or t(ombstone); tag from 35, of at most 32; user may be empty
 *
 * Times are 16 digits, so that Lua compares them as text and a touch overwrites one in place.
 */
export function toValue({ data, tag, user, createdAt, expiresAt }: Row): string {
  const kind = data === null ? 't' : 's'
  return `1${digits(expiresAt)}${digits(createdAt)}${kind}${tag} ${user ?? ''} ${data ?? ''}`
}

export const digits = (time: number): string => String(time).padStart(16, '0')

const HEAD = /^1(\d{16})(\d{16})([st])([!-~]{1,32}) ([\w-]*) /

export function toRow(key: string, value: string): Row {
  const head = HEAD.exec(value)
  // Somebody else's string: a row that core cannot read either, so that the others of the batch can be.
  if (head === null) return { key, data: '', tag: '?', user: null, createdAt: Date.now(), expiresAt: 8.64e15 }
  const [{ length }, expiresAt, createdAt, kind, tag, user] = head as unknown as string[] & { 0: string }
  return {
    key,
    data: kind === 't' ? null : value.slice(length),
    tag: tag!,
    user: user || null,
    createdAt: Number(createdAt),
    expiresAt: Number(expiresAt),
  }
}
