import { isDeepStrictEqual, types } from 'node:util'
import session, { type SessionData } from 'express-session'
import { inTime, isThenable } from '../dispatch/settle.ts'
import type { Awaitable } from '../driver.ts'
import { isStoreError, SessionStoreError } from '../errors.ts'
import type { SealedRow, Sealer } from './seal.ts'

/**
 * The option `serializer` of a store. Each method may return a promise, which must settle within
 * `operationTimeout`.
 *
 * @example
 * const serializer = { stringify: superjson.stringify, parse: superjson.parse }
 */
export interface Serializer {
  /**
   * Gets plain data, whose cookie is plain data, too. The store parses the result once before it
   * stores it.
   */
  stringify(session: SessionData): Awaitable<string>
  /** Gets what `stringify` returned. */
  parse(text: string): Awaitable<SessionData>
}

/** The default serializer. */
export const json: Serializer = {
  stringify: (data) => JSON.stringify(data),
  parse: (text) => JSON.parse(text),
}

/**
 * Returns the data of a session with its cookie as plain data, which is what a serializer gets.
 *
 * @throws INVALID_SESSION where the session would be stored without a cookie.
 */
function toPlainData(session: SessionData): SessionData {
  const cookie = toPlainCookie(session.cookie)
  if (!('toJSON' in session)) return { ...session, cookie } as SessionData
  // JSON would store the result of the session's own `toJSON`, so the serializer gets it, too.
  const data = JSON.parse(JSON.stringify(session)) as SessionData
  if (!hasCookie(data)) throw noCookie()
  return data
}

function toPlainCookie(cookie: SessionData['cookie']): SessionData['cookie'] {
  // JSON.stringify itself spends two thirds of its time on the cookie of express-session.
  if (cookie instanceof session.Cookie) {
    const plain = (cookie as unknown as { toJSON(): { expires: unknown } }).toJSON()
    if (isObject(plain)) {
      if (types.isDate(plain.expires))
        plain.expires = Number.isNaN(plain.expires.getTime()) ? null : plain.expires.toISOString()
      return plain as SessionData['cookie']
    }
  } else {
    const plain: unknown = JSON.parse(JSON.stringify(cookie) ?? 'null')
    if (isObject(plain)) return plain as SessionData['cookie']
  }
  throw noCookie()
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const hasCookie = (session: unknown): session is SessionData =>
  isObject(session) && isObject((session as SessionData).cookie)

const noCookie = (): SessionStoreError =>
  new SessionStoreError(
    'INVALID_SESSION',
    'a session must be stored as an object with a cookie, but its toJSON, or that of its cookie, returned none',
  )

const SEALED = 'sealed:2:'
const PLAIN = 'plain:'

/**
 * Turns a session into the `data` of a row and back, in two steps: session to text (by the
 * serializer), and text to data (the envelope). The envelope of plain text is the text itself, so
 * that the database shows JSON. Only a text that begins like an envelope is put into one.
 */
export class Codec {
  #serializer: Serializer
  #sealer: Sealer | undefined
  #maxPayload: number
  #timeLimit: number

  /**
   * `maxPayload` is in bytes. `timeLimit` is how long an asynchronous serializer may take, in
   * milliseconds.
   */
  constructor(serializer: Serializer, sealer: Sealer | undefined, maxPayload: number, timeLimit: number) {
    this.#serializer = serializer
    this.#sealer = sealer
    this.#maxPayload = maxPayload
    this.#timeLimit = timeLimit
  }

  /** @throws INVALID_SESSION, NOT_SERIALIZABLE or TIMEOUT, synchronously or as a rejection. */
  toText(session: SessionData): Awaitable<string> {
    let text: Awaitable<string>
    try {
      text = this.#serializer.stringify(toPlainData(session))
      if (isThenable(text))
        return this.#inTime(text).then(
          (written) => this.#checkReadable(written),
          (error) => {
            throw notSerializable(error)
          },
        )
    } catch (error) {
      throw notSerializable(error)
    }
    return this.#serializer === json ? text : this.#checkReadable(text)
  }

  /** @throws CORRUPT or TIMEOUT, synchronously or as a rejection. */
  toSession(text: string): Awaitable<SessionData> {
    let session: SessionData
    try {
      const read = this.#serializer.parse(text)
      // JSON never gives a promise, even if a session has a member that is called `then`.
      if (this.#serializer !== json && isThenable(read))
        return this.#inTime(read).then(checkSession, (error) => {
          throw corrupt(error)
        })
      session = read as SessionData
    } catch (error) {
      throw corrupt(error)
    }
    return checkSession(session)
  }

  /** Whether two values of a session would be stored alike. */
  async isSame(one: unknown, other: unknown): Promise<boolean> {
    try {
      if (!isDeepStrictEqual(one, other)) return false
    } catch {
      // The values are nested too deeply to compare. Their texts are not.
      return (await this.#textOf(one)) === (await this.#textOf(other))
    }
    if (this.#serializer === json) return true
    // Only the serializer sees the private fields of a class. A serializer that never writes the
    // same text twice (because it encrypts, say) shows no difference.
    const text = await this.#textOf(one)
    return text === (await this.#textOf(other)) || text !== (await this.#textOf(one))
  }

  #textOf(value: unknown): Awaitable<string> {
    return this.toText({ cookie: { originalMaxAge: null }, value } as unknown as SessionData)
  }

  /** Checks that a text from the application's serializer can be read again. */
  #checkReadable(text: unknown): Awaitable<string> {
    const checked = checkText(text)
    const read = this.toSession(checked)
    return isThenable(read) ? read.then(() => checked) : checked
  }

  #inTime<T>(answer: PromiseLike<T>): Promise<T> {
    return inTime(answer, this.#timeLimit, 'the serializer')
  }

  /** @throws PAYLOAD_TOO_LARGE */
  wrap(text: string, row: SealedRow): string {
    const data = this.#sealer
      ? SEALED + this.#sealer.seal(text, row)
      : text.startsWith(SEALED) || text.startsWith(PLAIN)
        ? PLAIN + text
        : text
    // A character takes at most three bytes in UTF-8, so small payloads need not be counted.
    if (data.length * 3 > this.#maxPayload && Buffer.byteLength(data) > this.#maxPayload)
      throw new SessionStoreError(
        'PAYLOAD_TOO_LARGE',
        `the session takes ${Buffer.byteLength(data)} bytes, more than maxPayload (${this.#maxPayload})`,
      )
    return data
  }

  /**
   * Returns the text in a row that is not a tombstone.
   *
   * @throws SEAL_BROKEN or NOT_SEALED
   */
  unwrap(row: SealedRow & { data: string | null }): string {
    const data = row.data!
    if (data.startsWith(SEALED)) {
      if (!this.#sealer)
        throw new SessionStoreError('SEAL_BROKEN', 'the session is sealed and there are no seal.keys')
      return this.#sealer.open(data.slice(SEALED.length), row)
    }
    if (this.#sealer && !this.#sealer.acceptPlain)
      throw new SessionStoreError('NOT_SEALED', 'the session is not sealed; see seal.acceptPlain')
    return data.startsWith(PLAIN) ? data.slice(PLAIN.length) : data
  }
}

function checkText(text: unknown): string {
  if (typeof text !== 'string') throw notSerializable(new TypeError('the serializer returned no string'))
  // Databases store UTF-8, in which a lone surrogate would silently become U+FFFD.
  if (!text.isWellFormed()) throw notSerializable(new TypeError('the serializer returned lone surrogates'))
  return text
}

function checkSession(session: SessionData): SessionData {
  let thrown: unknown
  try {
    if (hasCookie(session)) return session
  } catch (error) {
    thrown = error
  }
  throw corrupt(thrown ?? new TypeError('no session with a cookie'))
}

const notSerializable = (cause: unknown): SessionStoreError =>
  isStoreError(cause)
    ? cause
    : new SessionStoreError('NOT_SERIALIZABLE', 'the session cannot be serialized; see cause', cause)

// The error of JSON.parse quotes the text, so it must not become the cause.
const corrupt = (cause: unknown): SessionStoreError =>
  isStoreError(cause)
    ? cause
    : new SessionStoreError('CORRUPT', `the stored session cannot be read (${errorName(cause)})`)

function errorName(error: unknown): string {
  try {
    const { name } = error as Error
    return typeof name === 'string' ? name : 'no error'
  } catch {
    return 'no error'
  }
}
