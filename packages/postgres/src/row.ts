import { NEWER_LAYOUT, type Row, type Write } from '@session-stores/core'

/** The columns of the table, and their types by the names in PostgreSQL's catalog. */
export const COLUMNS: Readonly<Record<string, string>> = {
  key: 'text',
  tag: 'text',
  owner: 'text',
  created_at: 'int8',
  expires_at: 'int8',
  purge_at: 'int8',
  data: 'text',
}

/** Quotes a name as an identifier of SQL. */
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Returns the name of the table in SQL, with its schema. */
export const quoteTable = (schema: string, table: string): string => `${quote(schema)}.${quote(table)}`

/**
 * Returns the SQL that makes the first schema of the table and its indexes where they are missing.
 * `purge_at` is when `prune` looks at a row, in whole minutes. See
 * docs/decisions/0007-coarse-purge-times.md.
 */
export function toFirstTableSql(schema: string, table: string): string {
  const t = quoteTable(schema, table)
  return `CREATE TABLE IF NOT EXISTS ${t} (
  key text COLLATE "C" PRIMARY KEY,
  tag text NOT NULL,
  owner text COLLATE "C",
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  purge_at bigint NOT NULL,
  data text
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX IF NOT EXISTS ${quote(`${table}_by_purge_at`)} ON ${t} (purge_at);
CREATE INDEX IF NOT EXISTS ${quote(`${table}_by_owner`)} ON ${t} (owner, key) WHERE owner IS NOT NULL;
`
}

/** A row of an answer, as text. */
export type Fields = (string | null)[]

/**
 * Selects the statement for these rows. A statement on one row takes values, and the same statement
 * on many rows takes columns, so both have the same parameters.
 */
export const oneOrMany = (rows: readonly unknown[]): 'one' | 'many' => (rows.length === 1 ? 'one' : 'many')

/**
 * Returns the texts as a parameter. For many rows that is one text with a value on each line and an
 * empty line for NULL, because the server reads it faster than an array.
 */
export const toTexts = <T>(rows: readonly T[], pick: (row: T) => string | null): string | null =>
  rows.length === 1 ? pick(rows[0]!) : rows.map(pick).join('\n')

/** Returns the numbers or booleans as a parameter. For many rows that is an array. */
export const toScalars = <T, V extends number | boolean>(
  rows: readonly T[],
  pick: (row: T) => V,
): string | V => (rows.length === 1 ? pick(rows[0]!) : `{${rows.map(pick).join()}}`)

/**
 * Returns printable ASCII texts as an array of PostgreSQL, which escapes quotes and backslashes as
 * JSON does.
 */
export const toArray = (values: string[]): string => `{${JSON.stringify(values).slice(1, -1)}}`

export const keyOf = ({ key }: { key: string }): string => key
export const tagOf = ({ tag }: { tag?: string | undefined }): string | null => tag ?? null
export const userOf = ({ user }: Write): string | null => user
export const createdAtOf = ({ createdAt }: Write): number => createdAt
export const expiresAtOf = ({ expiresAt }: { expiresAt: number }): number => expiresAt
export const extendOf = ({ extend }: Write): boolean => extend === true

/**
 * Returns the tag that the row must carry. A write that expects its own tag gets an empty tag,
 * which no row has, because it has landed already or is refused.
 */
export const expectOf = ({ expect, tag }: Write): string => (expect === tag ? '' : expect!)

/**
 * Returns the payload as it is stored: printable ASCII as it is, and any other text as base64 after
 * a `=`, because PostgreSQL takes no NUL and an encoding could refuse or change the other
 * characters.
 */
export function dataOf({ data }: Write): string | null {
  return data === null || /^[ -<>-~][ -~]*$/.test(data) ? data : `=${Buffer.from(data).toString('base64')}`
}

/** Returns the payload of a stored text: the inverse of `dataOf`. */
function toData(stored: string): string {
  if (!stored.startsWith('=')) return stored
  // No base64 begins with a second sign, so that a later version can mark what it stores.
  return stored.startsWith('==') ? NEWER_LAYOUT : Buffer.from(stored.slice(1), 'base64').toString()
}

/** Reads a row from one field, in which no value contains a newline. NULL `data` is left out. */
export function toRow([line]: Fields): Row {
  const [key, tag, createdAt, expiresAt, user, data] = line!.split('\n')
  return {
    key: key!,
    data: data === undefined ? null : toData(data),
    tag: tag!,
    user: user === '' ? null : user!,
    createdAt: Number(createdAt),
    expiresAt: Number(expiresAt),
  }
}

export const keysOf = (rows: Fields[]): string[] => rows.map(([key]) => key!)

/**
 * Returns the keys of the writes that landed. A statement on one row answers with a row if it
 * landed, and a statement on many rows answers with all keys in one field.
 */
export function landedKeysOf(writes: readonly Write[], [answer]: Fields[]): string[] {
  if (answer === undefined) return []
  return writes.length === 1 ? [writes[0]!.key] : (answer[0]?.split('\n') ?? [])
}
