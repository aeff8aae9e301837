import zlib from 'node:zlib'
import type { SessionData } from 'express-session'
import { checkOptions, type OptionRule } from '../check-options.ts'
import { isThenable } from '../dispatch/settle.ts'
import type { Awaitable } from '../driver.ts'
import { SessionStoreError } from '../errors.ts'
import { json, type Serializer } from './codec.ts'

/** The options of `compressSessions`. A wrong option is a `TypeError`. */
export interface CompressionOptions {
  /**
   * Sessions whose text is shorter than this, in UTF-16 code units, stay as they are.
   *
   * @default 1024
   */
  threshold?: number
  /**
   * The level of Zstandard, from 1 (fast) to 19 (small).
   *
   * @default 3
   */
  level?: number
  /**
   * The longest text of a session before compression, in bytes of UTF-8. A save of a longer text fails
   * with `PAYLOAD_TOO_LARGE`. A stored session that would become longer is not decompressed: a lookup
   * fails with `CORRUPT`.
   *
   * @default 16_000_000
   */
  maxText?: number
  /**
   * Turns sessions into the text that is compressed, and back.
   *
   * @default JSON
   */
  serializer?: Serializer
}

const between = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most

const rules: Record<keyof CompressionOptions, OptionRule> = {
  threshold: ['a whole number of characters, at least 0', between(0, Number.MAX_SAFE_INTEGER)],
  level: ['a whole number from 1 to 19', between(1, 19)],
  maxText: ['a whole number of bytes from 1 to 2^31 - 1', between(1, 2 ** 31 - 1)],
  serializer: [
    '{ stringify(session), parse(text) }',
    (value: unknown) => {
      const { stringify, parse } = (value ?? {}) as Partial<Serializer>
      return typeof stringify === 'function' && typeof parse === 'function'
    },
  ],
}

/** What a compressed text begins with. JSON never does. */
const PREFIX = 'zstd:1:'
/** What a text begins with that this version or a later one has compressed. */
const COMPRESSED = /^zstd:\d+:/

/**
 * Returns a serializer that compresses the text of large sessions with Zstandard. It also reads
 * sessions that are not compressed, so an existing store may start to use it. A store with `seal` seals
 * the compressed text.
 *
 * The length of a compressed session depends on its content. Do not use it where a visitor can both put
 * text into a session that holds a secret, and learn the length of the stored session: text that repeats
 * the secret makes the session shorter (as in CRIME, CVE-2012-4929).
 *
 * @example
 * const store = new RedisStore({ url, serializer: compressSessions({ threshold: 2048 }) })
 * @throws TypeError where an option is wrong, and Error where Node.js is older than 22.15.
 */
export function compressSessions(options: CompressionOptions = {}): Serializer {
  checkOptions(options, rules)
  if (typeof zlib.zstdCompressSync !== 'function')
    throw new Error(
      `compressSessions needs Node.js 22.15 or later, whose node:zlib has zstd; this is ${process.version}`,
    )
  const { threshold = 1024, level = 3, maxText = 16_000_000, serializer = json } = options
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: level }

  function compress(text: string): string {
    // A text that looks compressed is compressed, so that it is read as it was written.
    const isAmbiguous = typeof text === 'string' && COMPRESSED.test(text)
    // The store refuses what is no text.
    if (typeof text !== 'string' || (text.length < threshold && !isAmbiguous)) return text
    if (!text.isWellFormed()) throw new TypeError('the serializer returned lone surrogates')
    const bytes = Buffer.from(text)
    if (bytes.length > maxText)
      throw new SessionStoreError(
        'PAYLOAD_TOO_LARGE',
        `the session takes ${bytes.length} bytes before compression, more than maxText (${maxText})`,
      )
    const compressed = PREFIX + zlib.zstdCompressSync(bytes, { params }).toString('base64url')
    return compressed.length < bytes.length || isAmbiguous ? compressed : text
  }

  function decompress(text: string): string {
    if (!text.startsWith(PREFIX)) {
      if (COMPRESSED.test(text))
        throw new SessionStoreError(
          'FORMAT_TOO_NEW',
          'a newer version of compressSessions has stored the session: upgrade @session-stores/core here',
        )
      return text
    }
    const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url')
    return zlib.zstdDecompressSync(bytes, { maxOutputLength: maxText }).toString()
  }

  return {
    stringify(session: SessionData): Awaitable<string> {
      const text = serializer.stringify(session)
      return isThenable(text) ? text.then(compress) : compress(text)
    },
    parse: (text) => serializer.parse(decompress(text)),
  }
}
