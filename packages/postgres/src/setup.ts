import { SessionStoreError } from '@session-stores/core'
import type { Queries } from './queries.ts'
import { COLUMNS, type Fields } from './row.ts'
import type { Statements } from './statements.ts'

/**
 * Makes the table where it is missing and `createTable` is set, and checks its columns. `name` is
 * the table's name in SQL.
 *
 * @throws SessionStoreError `BAD_STORAGE` where the table is missing or lacks a column.
 */
export async function prepareTable(
  queries: Queries,
  statements: Statements,
  name: string,
  createTable: boolean,
): Promise<void> {
  let columns = await queries.run(statements.columns, name)
  if (columns.length === 0 && createTable) {
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
}

function checkColumns(columns: Fields[]): void {
  const types = Object.fromEntries(columns)
  const missing = Object.entries(COLUMNS).filter(([name, type]) => types[name] !== type)
  if (missing.length > 0)
    throw new SessionStoreError(
      'BAD_STORAGE',
      "the table is not this store's; name another table with the option 'table'",
      new Error(`the table lacks the columns ${missing.map((column) => column.join(' ')).join(', ')}`),
    )
}
