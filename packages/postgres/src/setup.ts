import { isSchemaOlder, type Schema, type SchemaVersion, SessionStoreError } from '@session-stores/core'
import type { Queries } from './queries.ts'
import { COLUMNS, type Fields } from './row.ts'
import { readVersion, type Step, VERSIONED_COLUMN } from './schema.ts'
import type { Statements } from './statements.ts'

/**
 * Makes the table where it is missing, or brings it to this schema, where `createTable` is set, and
 * checks its columns. `name` is the table's name in SQL.
 *
 * @throws SessionStoreError `BAD_STORAGE` where the table is missing, lacks a column or has an older
 * schema, and `SCHEMA_TOO_NEW`.
 */
export async function prepareTable(
  queries: Queries,
  statements: Statements,
  name: string,
  createTable: boolean,
  schema: Schema<Step>,
): Promise<void> {
  const isOlder = (found: Fields[]) => isSchemaOlder(versionOf(found), schema, 'the table')
  let columns = await queries.run(statements.columns, name)
  if (createTable && (columns.length === 0 || isOlder(columns))) {
    await queries.run(statements.create)
    columns = await queries.run(statements.columns, name)
  }
  if (columns.length === 0)
    throw new SessionStoreError(
      'BAD_STORAGE',
      'the table is missing; make it with the SQL of ddl()',
      new Error(`there is no table ${name}`),
    )
  checkColumns(columns)
  if (isOlder(columns))
    throw new SessionStoreError(
      'BAD_STORAGE',
      'the table has the schema of an older version of the package; bring it up to date with the SQL of ddl()',
    )
}

function versionOf(columns: Fields[]): SchemaVersion {
  const versioned = columns.find(([name]) => name === VERSIONED_COLUMN)
  return readVersion(versioned?.[2])
}

function checkColumns(columns: Fields[]): void {
  const types = Object.fromEntries(columns.map(([name, type]) => [name!, type]))
  const missing = Object.entries(COLUMNS).filter(([name, type]) => types[name] !== type)
  if (missing.length > 0)
    throw new SessionStoreError(
      'BAD_STORAGE',
      "the table is not this store's; name another table with the option 'table'",
      new Error(`the table lacks the columns ${missing.map((column) => column.join(' ')).join(', ')}`),
    )
}
