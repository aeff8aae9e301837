import {
  FIRST_SCHEMA,
  isSchemaOlder,
  type Schema,
  type SchemaVersion,
  toSchemaVersion,
} from '@session-stores/core'
import type { SqliteDatabase } from './client.ts'
import { quote, schemaOf } from './row.ts'

/** Returns the SQL of a step. All steps run in one transaction with the version, so none runs twice. */
export type Step = (table: string) => string

/** The schema of the table. There is no step yet. */
export const SCHEMA: Schema<Step> = { minimum: 1, steps: [] }

/**
 * The table with the versions of all tables in a file. It is made for the second schema of a table. A
 * `user_version` would be the application's, and hold one number for all tables.
 */
export const VERSIONS = 'session_stores_schema'

/**
 * Makes the table where it is missing, and brings an older one to this schema.
 *
 * @throws SCHEMA_TOO_NEW
 */
export function makeTable(database: SqliteDatabase, table: string, changes: Schema<Step>): void {
  // A newer schema must stay as it is, so its version is read first.
  if (!isSchemaOlder(readVersion(database, table), changes, 'the table')) {
    database.exec(schemaOf(table))
    return
  }
  database.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have done the steps while this one waited.
    const found = readVersion(database, table)
    database.exec(schemaOf(table))
    if (isSchemaOlder(found, changes, 'the table')) upgrade(database, table, changes, found)
    database.exec('COMMIT')
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function upgrade(database: SqliteDatabase, table: string, changes: Schema<Step>, found: SchemaVersion): void {
  for (const step of changes.steps.slice(found.version - 1)) database.exec(step(quote(table)))
  const { version, minimum } = toSchemaVersion(changes)
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${VERSIONS} (name TEXT PRIMARY KEY, version INTEGER NOT NULL, minimum INTEGER NOT NULL) STRICT`,
  )
  database.prepare(`INSERT OR REPLACE INTO ${VERSIONS} VALUES (?, ?, ?)`).run(table, version, minimum)
}

function readVersion(database: SqliteDatabase, table: string): SchemaVersion {
  const exists = database
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
    .get(VERSIONS)
  if (exists === undefined) return FIRST_SCHEMA
  const select = `SELECT version, minimum FROM ${VERSIONS} WHERE name = ?`
  const found = database.prepare(select).safeIntegers(false).get(table)
  return (found as SchemaVersion | undefined) ?? FIRST_SCHEMA
}
