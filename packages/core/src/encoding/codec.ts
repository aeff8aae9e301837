import { isDeepStrictEqual, types } from 'node:util'
import session, { type SessionData } from 'express-session'
import { inTime, isThenable } from '../dispatch/settle.ts'
import type { Awaitable } from '../driver.ts'
import { isStoreError, SessionStoreError } from '../errors.ts'
import { FORMAT, FORMATS, type Format, readMark, toMark, tooNew } from './formats.ts'
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

/** The options that the codec follows. */
interface CodecSettings {
  serializer: Serializer
  maxPayload: number
  operationTimeout: number
  formatVersion: number
}

const SEALED = 'sealed:2:'
const PLAIN = 'plain:'
/** A text that begins like this is put into an envelope, so that nobody takes it for one. */
const RESERVED = /^(sealed|plain|format):/

/**
 * Turns a session into the `data` of a row and back, in two steps: session to text (by the
 * serializer), and text to data (the envelope). The envelope of plain text is the text itself, so
 * that the database shows JSON. Only a text that begins like an envelope is put into one. The data of
 * a format above 1 begins with a mark.
 */
export class Codec {
  #serializer: Serializer
  #sealer: Sealer | undefined
  #maxPayload: number
  #timeLimit: number
  #formats: readonly Format[]
  #version: number

  /**
   * `maxPayload` is in bytes. `operationTimeout` is how long an asynchronous serializer may take, in
   * milliseconds. `formatVersion` is the format in which sessions are stored.
   */
  constructor(
    { serializer, maxPayload, operationTimeout, formatVersion }: CodecSettings,
    sealer: Sealer | undefined,
    formats: readonly Format[] = FORMATS,
  ) {
    this.#serializer = serializer
    this.#sealer = sealer
    this.#maxPayload = maxPayload
    this.#timeLimit = operationTimeout
    this.#formats = formats
    this.#version = formatVersion
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
    const version = this.#version
    const data =
      version === 1
        ? this.#enclose(text, row, version)
        : toMark(version) + this.#enclose(this.#formats[version - 1]!.encode(text), row, version)
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
   * @throws FORMAT_TOO_NEW, SEAL_BROKEN, NOT_SEALED or CORRUPT
   */
  unwrap(row: SealedRow & { data: string | null }): string {
    const data = row.data!
    if (!data.startsWith(FORMAT)) return this.#disclose(data, row, 1)
    const [version, rest] = this.#readMark(data)
    const encoded = this.#disclose(rest, row, version)
    try {
      return this.#formats[version - 1]!.decode(encoded)
    } catch (error) {
      throw corrupt(error)
    }
  }

  /**
   * Checks that what a save would replace is of a format that this process knows, because another
   * process may keep in it what this one cannot know.
   *
   * @throws FORMAT_TOO_NEW
   */
  refuseTooNew({ data }: { data: string | null }): void {
    if (data?.startsWith(FORMAT)) this.#readMark(data)
    else if (data !== null && this.#isNewerSeal(data)) throw this.#tooNew()
  }

  #readMark(data: string): [version: number, rest: string] {
    const mark = readMark(data)
    if (mark[0] > this.#formats.length) throw this.#tooNew(mark[0])
    return mark
  }

  /** Whether the data has the number of a seal which this process does not know. */
  #isNewerSeal(data: string): boolean {
    return /^sealed:\d+:/.test(data) && !data.startsWith(SEALED)
  }

  #tooNew(version = Number.POSITIVE_INFINITY): SessionStoreError {
    return tooNew(version, this.#formats.length)
  }

  /** Seals the text, or puts it into an envelope where it begins like one. */
  #enclose(text: string, row: SealedRow, version: number): string {
    if (this.#sealer) return SEALED + this.#sealer.seal(text, row, version)
    return RESERVED.test(text) ? PLAIN + text : text
  }

  /** Returns what `#enclose` got. */
  #disclose(data: string, row: SealedRow, version: number): string {
    if (data.startsWith(SEALED)) {
      if (!this.#sealer)
        throw new SessionStoreError('SEAL_BROKEN', 'the session is sealed and there are no seal.keys')
      return this.#sealer.open(data.slice(SEALED.length), row, version)
    }
    if (this.#isNewerSeal(data)) throw this.#tooNew()
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
