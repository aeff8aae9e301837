import { SessionStoreError } from '../errors.ts'

/**
 * A format of stored sessions: what becomes of the serializer's text before it is sealed and stored.
 * The number of a format is its place in the list, counted from 1. See
 * docs/decisions/0017-format-versions.md.
 */
export interface Format {
  encode(text: string): string
  /** Returns what `encode` got. May throw for any other text. */
  decode(encoded: string): string
}

/**
 * All formats that were ever released, oldest first. Format 1 stores the text as it is, and its rows
 * carry no mark. Rows of later formats begin with `format:`, the number, and `:`.
 */
export const FORMATS: readonly Format[] = [{ encode: (text) => text, decode: (encoded) => encoded }]

/** What the mark of a format begins with. */
export const FORMAT = 'format:'
const MARK = /^format:(\d{1,9}|\?):/

/**
 * The `data` of a row that a newer version of the driver has laid out, so that only its key, tag,
 * user and times are known. For authors of drivers.
 */
export const NEWER_LAYOUT = 'format:?:'

/** The mark with which the data of this format begins. */
export const toMark = (version: number): string => (version === 1 ? '' : `${FORMAT}${version}:`)

/**
 * Returns the version of the format, and what follows the mark. The version is infinite where the
 * driver could not read the row. Throws where the mark has another form.
 */
export function readMark(data: string): [version: number, rest: string] {
  if (!data.startsWith(FORMAT)) return [1, data]
  const [mark, version] = MARK.exec(data) ?? []
  if (mark === undefined || version === '0' || version === '1')
    throw new SessionStoreError('CORRUPT', 'the stored session has a mark of a format that does not exist')
  return [version === '?' ? Number.POSITIVE_INFINITY : Number(version), data.slice(mark.length)]
}

/** Returns the error of a session that a newer version of the packages has stored. */
export function tooNew(version: number, newest: number): SessionStoreError {
  const found = Number.isFinite(version) ? `is stored in format ${version}` : 'is stored in a newer layout'
  return new SessionStoreError(
    'FORMAT_TOO_NEW',
    `the session ${found}, and this process reads formats up to ${newest}: upgrade its packages, ` +
      "or set the option 'formatVersion' of the newer processes to a format that all processes read",
  )
}

/**
 * Returns the format that a store writes, by its option.
 *
 * @throws TypeError where this version of the packages does not write the format.
 */
export function toFormatVersion(version: number | undefined, newest: number): number {
  const before = Math.max(1, newest - 1)
  if (version === undefined || version === before) return before
  if (version === newest) return newest
  throw new TypeError(
    `option 'formatVersion' takes ${before === newest ? newest : `${before} or ${newest}`}, ` +
      'because this version of the packages writes no other format',
  )
}
