import type { Row, Write } from '@session-stores/core'

/** A row of an answer, as text. */
export type Fields = (string | null)[]

/** A statement on one row takes values, the same one on many takes columns: so both have the same parameters. */
export const amount = (rows: readonly unknown[]): 'one' | 'many' => (rows.length === 1 ? 'one' : 'many')

/** A column is a text with a value on each line, an empty one for NULL; the server reads it faster than an array. */
export const texts = <T>(rows: readonly T[], value: (row: T) => string | null): string | null =>
  rows.length === 1 ? value(rows[0]!) : rows.map(value).join('\n')

export const scalars = <T, V extends number | boolean>(
  rows: readonly T[],
  value: (row: T) => V,
): string | V => (rows.length === 1 ? value(rows[0]!) : `{${rows.map(value).join()}}`)

/** An array of printable ASCII, whose quotes and backslashes JSON escapes just as PostgreSQL does. */
export const array = (values: string[]): string => `{${JSON.stringify(values).slice(1, -1)}}`

/**
 * Printable ASCII is stored as it is; anything else as base64 after a `=`, for PostgreSQL takes no NUL and the
 * encodings of server and connection could refuse or change the rest.
 */
export function encoded({ data }: Write): string | null {
  return data === null || /^[ -<>-~][ -~]*$/.test(data) ? data : `=${Buffer.from(data).toString('base64')}`
}

const decoded = (data: string): string =>
  data.startsWith('=') ? Buffer.from(data.slice(1), 'base64').toString() : data

/** No field has a newline in it; `data` is missing where it is NULL. */
export function toRow([line]: Fields): Row {
  const [key, tag, createdAt, expiresAt, user, data] = line!.split('\n')
  return {
    key: key!,
    data: data === undefined ? null : decoded(data),
    tag: tag!,
    user: user === '' ? null : user!,
    createdAt: Number(createdAt),
    expiresAt: Number(expiresAt),
  }
}

export const keysOf = (rows: Fields[]): string[] => rows.map(([key]) => key!)

/** The keys of the writes that landed: one answers with a row, many with their keys in one field. */
export function landedKeys(writes: readonly Write[], [answer]: Fields[]): string[] {
  if (answer === undefined) return []
  return writes.length === 1 ? [writes[0]!.key] : (answer[0]?.split('\n') ?? [])
}
