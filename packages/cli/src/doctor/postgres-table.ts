import type { Client } from 'pg'
import type { Target } from '../store/target.ts'
import type { Examination } from './examination.ts'

/** The columns of the store's table. */
const COLUMNS = ['key', 'tag', 'owner', 'created_at', 'expires_at', 'purge_at', 'data']
/** How long expired rows may stay before nobody seems to remove them, in milliseconds. */
export const LATE_PRUNE = 86_400_000

/** Checks the table. Returns whether it is there and can be read. */
export async function checkPostgresTable(
  client: Client,
  { schema, table }: Target,
  exam: Examination,
): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT c.oid, c.relpersistence AS persistence,
       has_table_privilege(c.oid, 'SELECT') AS may_select, has_table_privilege(c.oid, 'INSERT') AS may_insert,
       has_table_privilege(c.oid, 'UPDATE') AS may_update, has_table_privilege(c.oid, 'DELETE') AS may_delete,
       has_schema_privilege(n.oid, 'USAGE') AS may_use,
       array(SELECT attname::text FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
       array(SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = c.oid AND indisvalid) AS indexes
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')`,
    [schema, table],
  )
  const found = rows[0]
  exam.check(
    'postgres/no-table',
    found === undefined,
    'error',
    `There is no table ${schema}.${table}.`,
    'Start the application once, make the table with the SQL of ddl(), or name another one with --schema and --table.',
  )
  if (found === undefined) return false
  const missing = COLUMNS.filter((name) => !found.columns.includes(name))
  exam.check(
    'postgres/columns',
    missing.length > 0,
    'error',
    `The table ${schema}.${table} is not the store's: it lacks the columns ${missing.join(', ')}.`,
    "Name another table with the store's option table.",
  )
  const rights = ['select', 'insert', 'update', 'delete'].filter((right) => !found[`may_${right}`])
  if (!found.may_use) rights.unshift(`usage of the schema ${schema}`)
  exam.check(
    'postgres/rights',
    rights.length > 0,
    'error',
    `The role lacks rights that the store needs: ${rights.join(', ')}.`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.${table} to the role of the store.`,
  )
  exam.check(
    'postgres/unlogged',
    found.persistence !== 'p',
    'warning',
    'The table is UNLOGGED: it is empty after a crash, which logs every user out.',
    `ALTER TABLE ${schema}.${table} SET LOGGED`,
  )
  if (missing.length > 0) return false
  checkIndexes(exam, found.indexes)
  if (!found.may_select || !found.may_use) return false
  await checkPruning(exam, client, schema, table)
  return true
}

function checkIndexes(exam: Examination, indexes: readonly string[]): void {
  const missing = [
    ['(key)', 'key'],
    ['(purge_at)', 'purge_at'],
    ['(owner, key)', 'owner, key'],
  ].flatMap(([columns, name]) => (indexes.some((index) => index.includes(columns!)) ? [] : name!))
  exam.check(
    'postgres/indexes',
    missing.length > 0,
    'error',
    `The table lacks the indexes on ${missing.join(' and ')}, so that calls read all of it.`,
    'Run the SQL of ddl({ schema, table }), which makes what is missing.',
  )
}

async function checkPruning(exam: Examination, client: Client, schema: string, table: string): Promise<void> {
  const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`
  const { rows } = await client.query(
    `SELECT min(purge_at) < extract(epoch FROM now()) * 1000 - ${LATE_PRUNE} AS is_late FROM ${name}`,
  )
  checkLatePrune(exam, 'postgres', rows[0].is_late === true)
}

/** Whether rows that expired long ago are still there. */
export function checkLatePrune(exam: Examination, database: string, isLate: boolean): void {
  exam.check(
    `${database}/never-pruned`,
    isLate,
    'warning',
    'Sessions that expired more than a day ago are still stored: nobody removes them.',
    'Leave pruneInterval on in one process, or run `session-stores prune` every hour.',
  )
}
