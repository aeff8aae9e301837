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

/** Where in the string each part begins; what comes after the tag has no fixed place. */
const [EXPIRES_AT, CREATED_AT, KIND, MARK_AT, TAG] = [1, 17, 33, 34, 45]
const MAX_TAG = 32

/**
 * What a string holds that `toValue` made, for whichever key; nothing where it made none. The head is read
 * by its places, because a regular expression takes twice the time.
 */
function headOf(value: string): Omit<Row, 'key'> | undefined {
  const tagEnd = value.indexOf(' ', TAG)
  const userEnd = value.indexOf(' ', tagEnd + 1)
  const expiresAt = Number(value.slice(EXPIRES_AT, CREATED_AT))
  const createdAt = Number(value.slice(CREATED_AT, KIND))
  const kind = value[KIND]
  if (value[0] !== '2' || (kind !== 's' && kind !== 't')) return undefined
  if (tagEnd <= TAG || tagEnd > TAG + MAX_TAG || userEnd < tagEnd) return undefined
  if (!(expiresAt >= 0 && createdAt >= 0)) return undefined
  return {
    data: kind === 't' ? null : value.slice(userEnd + 1),
    tag: value.slice(TAG, tagEnd),
    user: userEnd === tagEnd + 1 ? null : value.slice(tagEnd + 1, userEnd),
    createdAt,
    expiresAt,
  }
}

/** The row; nothing where the string is not one that `toValue` made for this key. */
export function toRow(key: string, value: string): Row | undefined {
  const head = headOf(value)
  if (head === undefined || !value.startsWith(markOf(key), MARK_AT)) return undefined
  const { data, tag, user, createdAt, expiresAt } = head
  return { key, data, tag, user, createdAt, expiresAt }
}

/** The tag of a string that has none. A save that names it replaces whatever string is no row. */
export const FOREIGN = '?'

/**
 * A row that core cannot read, so that the others of the batch can be: for somebody else's string, or for a row that
 * was moved here. A save that names its tag replaces it.
 */
export function toForeignRow(key: string, value: unknown): Row {
  const head = typeof value === 'string' ? headOf(value) : undefined
  return {
    key,
    data: '',
    tag: head?.tag ?? FOREIGN,
    user: null,
    createdAt: Date.now(),
    expiresAt: head?.expiresAt ?? 8.64e15,
  }
}
