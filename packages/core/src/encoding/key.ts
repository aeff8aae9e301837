import { hash } from 'node:crypto'
import type { SessionData } from 'express-session'
import { SessionStoreError } from '../errors.ts'
import type { Settings } from '../options.ts'

const MAX_ID = 256
const HANDLE = /^[\w-]{43}$/

/** From a session's id to the key that its row is stored under, and to the handle that lists show. */
export interface Keys {
  /** Throws `INVALID_ID`. */
  key(id: string): string
  /** The key of an id that a visitor presented; `undefined` where no session can have it. Throws `INVALID_ID` for no text. */
  find(id: string): string | undefined
  /** What `ids()` and `all()` name a row by: the id where it is stored, else the handle. */
  name(key: string): string
  handle(key: string): string
  /** The key that a handle stands for; `undefined` where only a search can tell. Throws `INVALID_ID`. */
  fromHandle(handle: string): string | undefined
  /** The key of the session of which this is the handle, if it is one; `undefined` where it cannot be. */
  asHandle(id: string): string | undefined
}

/** SHA-256: ids have 128 random bits and more, so no salt and no slow hash is needed. */
const sha256 = (text: string): string => hash('sha256', text, 'base64url')

/** A hash of its own for users, so that none can be mistaken for a session's. 1 and '1' are one user. Throws `INVALID_USER`. */
export function userHash(user: unknown): string {
  // Lone surrogates all become U+FFFD in UTF-8: two users would share a hash (CWE-176).
  if (typeof user === 'string' ? user !== '' && user.isWellFormed() : Number.isFinite(user))
    return sha256(`user:${user}`)
  throw new SessionStoreError(
    'INVALID_USER',
    "a user's id must be a non-empty string of well-formed Unicode, or a number",
  )
}

/** The hash of the user that the session belongs to, by the option `user`; `null`: nobody. Throws `INVALID_USER`. */
export function userOf(session: SessionData, { user }: Settings): string | null {
  const id = user?.(session)
  return id === undefined || id === null ? null : userHash(id)
}

const hasLength = (id: string): boolean => id.length > 0 && id.length <= MAX_ID

function checkText(id: unknown): asserts id is string {
  if (typeof id !== 'string') throw new SessionStoreError('INVALID_ID', 'a session id must be a string')
}

function check(id: unknown): asserts id is string {
  checkText(id)
  if (!hasLength(id))
    throw new SessionStoreError('INVALID_ID', `a session id must have 1 to ${MAX_ID} characters`)
}

function checkHandle(handle: unknown): void {
  if (typeof handle !== 'string' || !HANDLE.test(handle))
    throw new SessionStoreError('INVALID_ID', 'a handle must be one that list() or handle() gave')
}

const hashed: Keys = {
  key(id) {
    check(id)
    // Lone surrogates all become U+FFFD in UTF-8: two ids would share a hash.
    if (!id.isWellFormed())
      throw new SessionStoreError('INVALID_ID', 'a session id must be well-formed Unicode')
    return sha256(id)
  },
  find(id) {
    checkText(id)
    return hasLength(id) && id.isWellFormed() ? sha256(id) : undefined
  },
  name: (key) => key,
  handle: (key) => key,
  fromHandle(handle) {
    checkHandle(handle)
    return handle
  },
  asHandle: (id) => (HANDLE.test(id) ? id : undefined),
}

const isPrintable = (id: string): boolean => /^[!-~]+$/.test(id)

// Drivers use ':' to keep sessions apart from what else they store.
const escapeId = (id: string): string => id.replace(/[%:]/g, (char) => (char === ':' ? '%3A' : '%25'))

const plain: Keys = {
  key(id) {
    check(id)
    if (!isPrintable(id))
      throw new SessionStoreError(
        'INVALID_ID',
        'with hashIds: false a session id must be printable ASCII without spaces',
      )
    return escapeId(id)
  },
  find(id) {
    checkText(id)
    return hasLength(id) && isPrintable(id) ? escapeId(id) : undefined
  },
  name: (key) => key.replace(/%3A|%25/g, (code) => (code === '%3A' ? ':' : '%')),
  handle: sha256,
  fromHandle(handle) {
    checkHandle(handle)
    return undefined
  },
  // `all` and `ids` name sessions by their ids.
  asHandle: () => undefined,
}

export const keys = (hashIds: boolean): Keys => (hashIds ? hashed : plain)
