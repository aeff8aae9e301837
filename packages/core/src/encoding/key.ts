import { hash } from 'node:crypto'
import { SessionStoreError } from '../errors.ts'

/** The longest session id, in characters. */
const MAX_ID_LENGTH = 256
const HANDLE = /^[\w-]{43}$/

/** Turns a session's id into the key of its row, and the key into the handle that lists show. */
export interface Keys {
  /** @throws INVALID_ID */
  key(id: string): string
  /**
   * Returns the key of an id that a visitor presented, or `undefined` where no session can have
   * this id.
   *
   * @throws INVALID_ID where the id is not a string.
   */
  find(id: string): string | undefined
  /** Returns what `ids()` and `all()` call a row: the id where it is stored, else the handle. */
  name(key: string): string
  handle(key: string): string
  /**
   * Returns the key that a handle stands for, or `undefined` where only a search can find it.
   *
   * @throws INVALID_ID
   */
  fromHandle(handle: string): string | undefined
  /**
   * Returns the key for which this id would be the handle, or `undefined` where it cannot be a
   * handle.
   */
  asHandle(id: string): string | undefined
}

/**
 * Hashes with SHA-256. Session ids have at least 128 random bits, so they need neither a salt nor a
 * slow hash.
 */
export const sha256 = (text: string): string => hash('sha256', text, 'base64url')

const hasLength = (id: string): boolean => id.length > 0 && id.length <= MAX_ID_LENGTH

function checkType(id: unknown): asserts id is string {
  if (typeof id !== 'string') throw new SessionStoreError('INVALID_ID', 'a session id must be a string')
}

function checkId(id: unknown): asserts id is string {
  checkType(id)
  if (!hasLength(id))
    throw new SessionStoreError('INVALID_ID', `a session id must have 1 to ${MAX_ID_LENGTH} characters`)
}

function checkHandle(handle: unknown): void {
  if (typeof handle !== 'string' || !HANDLE.test(handle))
    throw new SessionStoreError('INVALID_ID', 'a handle must be one that list() or handle() returned')
}

const hashedKeys: Keys = {
  key(id) {
    checkId(id)
    // In UTF-8 every lone surrogate becomes U+FFFD, so two ids would share a hash.
    if (!id.isWellFormed())
      throw new SessionStoreError('INVALID_ID', 'a session id must be well-formed Unicode')
    return sha256(id)
  },
  find(id) {
    checkType(id)
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

// Drivers use ':' to keep sessions apart from their other records.
const escapeId = (id: string): string => id.replace(/[%:]/g, (char) => (char === ':' ? '%3A' : '%25'))
const unescapeId = (key: string): string => key.replace(/%3A|%25/g, (code) => (code === '%3A' ? ':' : '%'))

const plainKeys: Keys = {
  key(id) {
    checkId(id)
    if (!isPrintable(id))
      throw new SessionStoreError(
        'INVALID_ID',
        'with hashIds: false a session id must be printable ASCII without spaces',
      )
    return escapeId(id)
  },
  find(id) {
    checkType(id)
    return hasLength(id) && isPrintable(id) ? escapeId(id) : undefined
  },
  name: unescapeId,
  handle: sha256,
  fromHandle(handle) {
    checkHandle(handle)
    return undefined
  },
  // `all` and `ids` return the ids themselves.
  asHandle: () => undefined,
}

/** See docs/decisions/0011-hashed-ids.md. */
export const keysOf = (hashIds: boolean): Keys => (hashIds ? hashedKeys : plainKeys)
