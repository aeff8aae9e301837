import { hash } from 'node:crypto'
import type { Row } from '@session-stores/core'

/**
 * A session's string: a head, then the payload.
 *
 *     2 expiresAt(16) createdAt(16) kind(1) mark(11) tag ' ' user ' ' data
 *     ^ version; places 2-17; 18-33; 34: s(ession) or t(ombstone); 35-45; tag from 46, of at most 32; user may be empty
 *
 * Times are 16 digits, so that Lua compares them as text and a touch overwrites one in place. The mark tells which
 * key the string was written for.
 */
export function toValue({ key, data, tag, user, createdAt, expiresAt }: Row): string {
  const kind = data === null ? 't' : 's'
  return `2${digits(expiresAt)}${digits(createdAt)}${kind}${markOf(key)}${tag} ${user ?? ''} ${data ?? ''}`
}

/** Times of these years have 13 digits: for them this is the fastest way. */
export const digits = (time: number): string =>
  time >= 1e12 && time < 1e13 ? `000${time}` : String(time).padStart(16, '0')

const HASHED = 43
const MARK = 11

/** 66 bits of the key's hash. A key of this length is a hash already, and the usual one. */
const markOf = (key: string): string =>
  key.length === HASHED ? key.slice(-MARK) : hash('sha256', key, 'base64url').slice(-MARK)

/** The mark is compared in place: what is cut out is copied. */
const HEAD = /^2(\d{16})(\d{16})([st])[!-~]{11}([!-~]{1,32}) ([\w-]*) /
const MARK_BEGIN = 34

/** The row; nothing where the string is not one that `toValue` made for this key. */
export function toRow(key: string, value: string): Row | undefined {
  const head = HEAD.exec(value)
  if (head === null || !value.startsWith(markOf(key), MARK_BEGIN)) return undefined
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

/** The tag of a string that has none. A save that names it replaces whatever string is no row. */
export const FOREIGN = '?'

/**
 * A row that core cannot read, so that the others of the batch can be: for somebody else's string, or for a row that
 * was moved here. A save that names its tag replaces it.
 */
export function toForeignRow(key: string, value: unknown): Row {
  const head = typeof value === 'string' ? HEAD.exec(value) : null
  return {
    key,
    data: '',
    tag: head?.[4] ?? FOREIGN,
    user: null,
    createdAt: Date.now(),
    expiresAt: head ? Number(head[1]) : 8.64e15,
  }
}
