import session, { type SessionData } from 'express-session'
import type { Awaitable } from './driver.ts'
import { SessionStoreError } from './errors.ts'
import type { Serializer } from './options.ts'
import type { Sealer } from './seal.ts'

/** The default serializer. */
export const json: Serializer = { stringify, parse: (text) => JSON.parse(text) }

/** `JSON.stringify(data)`, to the byte: left to itself it spends two thirds of its time on express-session's cookie. */
function stringify(data: SessionData): string {
  if (data.cookie instanceof session.Cookie && !('toJSON' in data)) {
    const cookie = (data.cookie as unknown as { toJSON(): { expires: unknown } }).toJSON()
    if (cookie.expires instanceof Date && !Number.isNaN(cookie.expires.getTime())) {
      cookie.expires = cookie.expires.toISOString()
      return JSON.stringify({ ...data, cookie })
    }
  }
  return JSON.stringify(data)
}

const SEALED = 'sealed:1:'
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

  constructor(serializer: Serializer, sealer: Sealer | undefined, maxPayload: number) {
    this.#serializer = serializer
    this.#sealer = sealer
    this.#maxPayload = maxPayload
  }

  /** Throws or rejects with `NOT_SERIALIZABLE`. */
  toText(session: SessionData): Awaitable<string> {
    let text: Awaitable<string>
    try {
      text = this.#serializer.stringify(session)
    } catch (error) {
      throw notSerializable(error)
    }
    if (typeof text === 'string') return this.#serializer === json ? text : checkText(text)
    return Promise.resolve(text).then(checkText, (error) => {
      throw notSerializable(error)
    })
  }

  /** Throws or rejects with `CORRUPT`. */
  toSession(text: string): Awaitable<SessionData> {
    let session: Awaitable<SessionData>
    try {
      session = this.#serializer.parse(text)
    } catch (error) {
      throw corrupt(error)
    }
    if (session instanceof Promise)
      return session.then(checkSession, (error) => {
        throw corrupt(error)
      })
    return checkSession(session)
  }

  /** Throws `PAYLOAD_TOO_LARGE`. */
  wrap(text: string, key: string): string {
    const data = this.#sealer
      ? SEALED + this.#sealer.seal(text, key)
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

  /** Throws `SEAL_BROKEN` and `NOT_SEALED`. */
  unwrap(data: string, key: string): string {
    if (data.startsWith(SEALED)) {
      if (!this.#sealer)
        throw new SessionStoreError('SEAL_BROKEN', 'the session is sealed and there are no seal.keys')
      return this.#sealer.open(data.slice(SEALED.length), key)
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
  if (typeof session?.cookie !== 'object' || session.cookie === null)
    throw corrupt(new TypeError('no session with a cookie'))
  return session
}

const notSerializable = (cause: unknown): SessionStoreError =>
  new SessionStoreError('NOT_SERIALIZABLE', 'the session cannot be serialized; see cause', cause)

// JSON.parse quotes the text in its message: it is not passed on.
const corrupt = (cause: unknown): SessionStoreError =>
  new SessionStoreError(
    'CORRUPT',
    `the stored session cannot be read (${(cause as Error)?.name ?? 'no error'})`,
  )
