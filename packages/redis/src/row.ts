import { hash } from 'node:crypto'
import { NEWER_LAYOUT, type Row } from '@session-stores/core'

/**
 * The value of a row: a head, then the payload. The parts up to the tag have fixed places.
 *
 *     version(1) expiresAt(16) createdAt(16) kind(1) mark(11) tag ' ' user ' ' data
 *
 * Times are 16 digits, so that Lua compares them as text and a touch overwrites one in place.
 * `user` is empty for nobody. The mark shows for which key the value was written. See
 * docs/decisions/0008-redis-strings-and-scripts.md.
 *
 * A later version of this layout has a higher digit and keeps all up to the second space, so that this
 * version can count, list, touch and end such a session, though it cannot read the session itself.
 */
export function toValue({ key, data, tag, user, createdAt, expiresAt }: Row): string {
  const kind = data === null ? TOMBSTONE : SESSION
  const mark = markOf(key)
  return `${VERSION}${digits(expiresAt)}${digits(createdAt)}${kind}${mark}${tag} ${user ?? ''} ${data ?? ''}`
}

/** The first character of every value that this version writes. */
const VERSION = '2'
/** The first character of every value that may be a session, from this version's to the highest. */
export const VERSIONS: readonly [lowest: string, highest: string] = [VERSION, '9']
/** The kind of a session. */
export const SESSION = 's'
/** The kind of a tombstone. */
export const TOMBSTONE = 't'
/** The length of a time. */
export const TIME_LENGTH = 16
const MARK_LENGTH = 11
/** The greatest length of a tag. */
export const MAX_TAG = 32
/** The length of a user, and of the key of a session whose id is hashed: SHA-256 in base64url. */
export const HASH_LENGTH = 43

/** Where each part of a value begins, counted from 0. What follows the tag has no fixed place. */
export const EXPIRES_AT: number = VERSION.length
export const CREATED_AT: number = EXPIRES_AT + TIME_LENGTH
export const KIND_AT: number = CREATED_AT + TIME_LENGTH
const MARK_AT = KIND_AT + 1
export const TAG_AT: number = MARK_AT + MARK_LENGTH

/** Returns the time as text. Times of 13 digits, which all usual ones have, take the fast way. */
export const digits = (time: number): string =>
  time >= 1e12 && time < 1e13 ? `000${time}` : String(time).padStart(TIME_LENGTH, '0')

/** Returns 66 bits of the key's hash. A key of this length usually is a hash already. */
const markOf = (key: string): string =>
  key.length === HASH_LENGTH ? key.slice(-MARK_LENGTH) : hash('sha256', key, 'base64url').slice(-MARK_LENGTH)

/**
 * Returns what the value holds, or `undefined` where `toValue` did not make it for any key. A
 * regular expression would take twice the time.
 */
function parse(value: string): Omit<Row, 'key'> | undefined {
  const tagEnd = value.indexOf(' ', TAG_AT)
  const userEnd = value.indexOf(' ', tagEnd + 1)
  const expiresAt = Number(value.slice(EXPIRES_AT, CREATED_AT))
  const createdAt = Number(value.slice(CREATED_AT, KIND_AT))
  const kind = value[KIND_AT]
  const version = value[0]!
  if (!(version >= VERSION && version <= VERSIONS[1])) return undefined
  if (kind !== SESSION && kind !== TOMBSTONE) return undefined
  if (tagEnd <= TAG_AT || tagEnd > TAG_AT + MAX_TAG || userEnd < tagEnd) return undefined
  if (!(expiresAt >= 0 && createdAt >= 0)) return undefined
  return {
    data: kind === TOMBSTONE ? null : version === VERSION ? value.slice(userEnd + 1) : NEWER_LAYOUT,
    tag: value.slice(TAG_AT, tagEnd),
    user: userEnd === tagEnd + 1 ? null : value.slice(tagEnd + 1, userEnd),
    createdAt,
    expiresAt,
  }
}

/** Returns the row, or `undefined` where `toValue` did not make the value for this key. */
export function toRow(key: string, value: string): Row | undefined {
  const parsed = parse(value)
  if (parsed === undefined || !value.startsWith(markOf(key), MARK_AT)) return undefined
  const { data, tag, user, createdAt, expiresAt } = parsed
  return { key, data, tag, user, createdAt, expiresAt }
}

/** The tag of a foreign value, which has none. A save that expects this tag replaces the value. */
export const FOREIGN_TAG = '?'

/**
 * Returns a row for a foreign value, or for a row that was moved to this key. Core cannot read the
 * row, but it can read the others of the batch. A save that expects its tag replaces it.
 */
export function toForeignRow(key: string, value: unknown): Row {
  const parsed = typeof value === 'string' ? parse(value) : undefined
  return {
    key,
    data: '',
    tag: parsed?.tag ?? FOREIGN_TAG,
    user: null,
    createdAt: Date.now(),
    expiresAt: parsed?.expiresAt ?? 8.64e15,
  }
}
