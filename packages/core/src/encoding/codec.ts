import { isDeepStrictEqual, types } from 'node:util'
import session, { type SessionData } from 'express-session'
import { isThenable } from '../dispatch/settle.ts'
import { clearTimeout, setTimeout } from '../dispatch/timers.ts'
import type { Awaitable } from '../driver.ts'
import { isStoreError, SessionStoreError } from '../errors.ts'
import type { Serializer } from '../options.ts'
import type { SealedRow, Sealer } from './seal.ts'

/** The default serializer. */
export const json: Serializer = {
  stringify: (data) => JSON.stringify(data),
  parse: (text) => JSON.parse(text),
}

/**
 * The data of a session, with its cookie as plain data: what a serializer gets, whether the session comes from a
 * request or from a merge. Throws `INVALID_SESSION` where it would be stored without a cookie.
 */
function plainData(session: SessionData): SessionData {
  const cookie = plainCookie(session.cookie)
  if (!('toJSON' in session)) return { ...session, cookie } as SessionData
  // What its own method makes of it is what JSON would store.
  const data = JSON.parse(JSON.stringify(session)) as SessionData
  if (!hasCookie(data)) throw noCookie()
  return data
}

function plainCookie(cookie: SessionData['cookie']): SessionData['cookie'] {
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
    'a session must be stored as an object with a cookie; its toJSON, or that of its cookie, leaves none',
  )

const SEALED = 'sealed:2:'
const PLAIN = 'plain:'

/**
 * Between a session and a row's `data`: session ⇄ text (the serializer's), text ⇄ data (the envelope).
 * The envelope of plain text is the text itself, so a database shows JSON; only a text that begins like an
 * envelope is put into one.
 */
export class Codec {
  #serializer: Serializer
  #sealer: Sealer | undefined
  #maxPayload: number
  #timeLimit: number

  /** `timeLimit`: how long an asynchronous serializer may take, in milliseconds. */
  constructor(serializer: Serializer, sealer: Sealer | undefined, maxPayload: number, timeLimit: number) {
    this.#serializer = serializer
    this.#sealer = sealer
    this.#maxPayload = maxPayload
    this.#timeLimit = timeLimit
  }

  /** Throws or rejects with `INVALID_SESSION`, `NOT_SERIALIZABLE` and `TIMEOUT`. */
  toText(session: SessionData): Awaitable<string> {
    let text: Awaitable<string>
    try {
      text = this.#serializer.stringify(plainData(session))
      if (isThenable(text))
        return this.#inTime(text).then(
          (made) => this.#checked(made),
          (error) => {
            throw notSerializable(error)
          },
        )
    } catch (error) {
      throw notSerializable(error)
    }
    return this.#serializer === json ? text : this.#checked(text)
  }

  /** Throws or rejects with `CORRUPT` and `TIMEOUT`. */
  toSession(text: string): Awaitable<SessionData> {
    let session: SessionData
    try {
      const read = this.#serializer.parse(text)
      // What JSON gives is no promise, whatever its members are called.
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
      // Too deep to compare, which JSON text is not.
      return (await this.#textOf(one)) === (await this.#textOf(other))
    }
    if (this.#serializer === json) return true
    // What a class keeps in private fields only its serializer can tell; one that never writes the same text twice
    // (it encrypts, say) tells nothing.
    const text = await this.#textOf(one)
    return text === (await this.#textOf(other)) || text !== (await this.#textOf(one))
  }

  #textOf(value: unknown): Awaitable<string> {
    return this.toText({ cookie: { originalMaxAge: null }, value } as unknown as SessionData)
  }

  /** A text of a serializer that is not ours: it must be one that can be read again. */
  #checked(text: unknown): Awaitable<string> {
    const checked = checkText(text)
    const read = this.toSession(checked)
    return isThenable(read) ? read.then(() => checked) : checked
  }

  #inTime<T>(answer: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const message = `the serializer gave no answer within ${this.#timeLimit} ms (operationTimeout)`
        reject(new SessionStoreError('TIMEOUT', message))
      }, this.#timeLimit).unref()
      Promise.resolve(answer)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
  }

  /** Throws `PAYLOAD_TOO_LARGE`. */
  wrap(text: string, place: SealedRow): string {
    const data = this.#sealer
      ? SEALED + this.#sealer.seal(text, place)
      : text.startsWith(SEALED) || text.startsWith(PLAIN)
        ? PLAIN + text
        : text
    // A character has at most three bytes in UTF-8: small payloads need no count.
    if (data.length * 3 > this.#maxPayload && Buffer.byteLength(data) > this.#maxPayload)
      throw new SessionStoreError(
        'PAYLOAD_TOO_LARGE',
        `the session takes ${Buffer.byteLength(data)} bytes, more than maxPayload (${this.#maxPayload})`,
      )
    return data
  }

  /** The text in a row that is no tombstone. Throws `SEAL_BROKEN` and `NOT_SEALED`. */
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

// JSON.parse quotes the text in its message: it is not passed on.
const corrupt = (cause: unknown): SessionStoreError =>
  isStoreError(cause)
    ? cause
    : new SessionStoreError('CORRUPT', `the stored session cannot be read (${nameOf(cause)})`)

function nameOf(error: unknown): string {
  try {
    const { name } = error as Error
    return typeof name === 'string' ? name : 'no error'
  } catch {
    return 'no error'
  }
}
