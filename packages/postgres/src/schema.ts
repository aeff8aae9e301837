import { FIRST_SCHEMA, type Schema, type SchemaVersion, toSchemaVersion } from '@session-stores/core'
import { quoteTable, toFirstTableSql } from './row.ts'

/** Returns the SQL of a step, which changes nothing where it was done before. */
export type Step = (table: string) => string

/** The schema of the table. There is no step yet. */
export const SCHEMA: Schema<Step> = { minimum: 1, steps: [] }

/** The column whose comment holds the version, because such a comment goes along with a backup. */
export const VERSIONED_COLUMN = 'data'
const COMMENT = /session-stores schema (\d{1,9}), minimum (\d{1,9})/

/** Returns the version in a comment. */
export function readVersion(comment: string | null | undefined): SchemaVersion {
  const [, version, minimum] = COMMENT.exec(comment ?? '') ?? []
  return version === undefined ? FIRST_SCHEMA : { version: Number(version), minimum: Number(minimum) }
}

/** Returns the SQL that makes the table where it is missing, and brings an older one to this schema. */
export function toTableSql(schema: string, table: string, changes: Schema<Step>): string {
  const name = quoteTable(schema, table)
  const first = toFirstTableSql(schema, table)
  const { version, minimum } = toSchemaVersion(changes)
  if (version === 1) return first
  const steps = changes.steps.map((step) => `${step(name)};\n`).join('')
  // A newer version of the package may have been here first, and its version stays.
  return `${first}${steps}DO $session_stores$ BEGIN
  IF coalesce((SELECT substring(pg_catalog.col_description(attrelid, attnum) FROM 'session-stores schema (\\d+)')::int
    FROM pg_catalog.pg_attribute WHERE attrelid = ${toLiteral(name)}::regclass AND attname = '${VERSIONED_COLUMN}'), 1) < ${version}
  THEN COMMENT ON COLUMN ${name}.${VERSIONED_COLUMN} IS 'session-stores schema ${version}, minimum ${minimum}';
  END IF;
END $session_stores$;
`
}

const toLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`
