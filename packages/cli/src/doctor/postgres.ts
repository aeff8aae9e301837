import { randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import { Failure } from '../failure.ts'
import { loadPackages } from '../store/packages.ts'
import type { Target } from '../store/target.ts'
import type { Examination, Inspected } from './examination.ts'
import { findConnectPgSimple } from './legacy.ts'
import { checkPostgresTable } from './postgres-table.ts'

/** Checks the settings of a PostgreSQL. @throws Failure where it cannot be reached. */
export async function inspectPostgres(target: Target, exam: Examination): Promise<Inspected> {
  const clients: Client[] = []
  const close = async () => void (await Promise.all(clients.map((client) => client.end())))
  try {
    for (let i = 0; i < 2; i++) clients.push(await connect(target))
    const [client, other] = clients as [Client, Client]
    const settings = await readSettings(client)
    checkSettings(exam, settings)
    await checkPooler(exam, client, other)
    const hasRows = await checkPostgresTable(client, target, exam)
    await findConnectPgSimple(client, exam)
    return {
      version: `PostgreSQL ${settings.server_version?.split(' ')[0]}`,
      async ping() {
        const { rows } = await client.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS time')
        return Number(rows[0].time)
      },
      hasRows,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function connect({ url, timeout }: Target): Promise<Client> {
  const { Client } = await loadPackages('postgres')
  let client: Client
  try {
    client = new Client({ connectionString: url, connectionTimeoutMillis: timeout, query_timeout: timeout })
  } catch {
    // The error of pg may hold the URL.
    throw new Failure('PostgreSQL cannot be reached: the URL is none that pg reads.')
  }
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    const { message, errors } = error as { message: string; errors?: Error[] }
    throw new Failure(`PostgreSQL cannot be reached: ${message || errors?.[0]?.message}`)
  }
}

type Settings = Readonly<Record<string, string | undefined>>

async function readSettings(client: Client): Promise<Settings> {
  const names = [
    ...['server_version', 'server_version_num', 'fsync', 'synchronous_commit', 'full_page_writes'],
    ...['autovacuum', 'default_transaction_read_only'],
  ]
  const columns = names.map((name) => `current_setting('${name}') AS ${name}`)
  const { rows } = await client.query(`SELECT ${columns.join(', ')}, pg_is_in_recovery()::text AS is_replica`)
  return rows[0]
}

function checkSettings(exam: Examination, settings: Settings): void {
  exam.check(
    'postgres/version',
    Number(settings.server_version_num) < 120_000,
    'error',
    `PostgreSQL ${settings.server_version} is older than the store supports.`,
    'Use PostgreSQL 12 or newer.',
  )
  exam.check(
    'postgres/fsync',
    settings.fsync === 'off',
    'error',
    'PostgreSQL does not wait for the disk (fsync off): a crash of the machine may destroy the database.',
    'Set fsync = on.',
  )
  exam.check(
    'postgres/full-page-writes',
    settings.full_page_writes === 'off',
    'error',
    'PostgreSQL writes no full pages (full_page_writes off): a crash of the machine may destroy the table.',
    'Set full_page_writes = on, unless the file system itself writes whole pages.',
  )
  exam.check(
    'postgres/synchronous-commit',
    settings.synchronous_commit === 'off',
    'warning',
    'PostgreSQL acknowledges writes before they are on the disk (synchronous_commit off): a crash may undo logouts.',
    'Set synchronous_commit = on for the role of the store.',
  )
  exam.check(
    'postgres/autovacuum',
    settings.autovacuum === 'off',
    'warning',
    'PostgreSQL never cleans tables up by itself (autovacuum off): the table of the sessions grows without end.',
    'Set autovacuum = on.',
  )
  exam.check(
    'postgres/read-only',
    settings.is_replica === 'true' || settings.default_transaction_read_only === 'on',
    'error',
    settings.is_replica === 'true'
      ? 'This server is a standby, which takes no writes and lags behind.'
      : 'Transactions of this role are read-only (default_transaction_read_only on).',
    'Give the store the address of the primary, and a role that may write.',
  )
}

/**
 * Finds out whether a pooler gives the statements of one client to several connections, and then
 * whether named statements survive that. The second client keeps the connection busy on which the
 * statement of the first was prepared.
 */
async function checkPooler(exam: Examination, client: Client, other: Client): Promise<void> {
  const statement = { name: `session_stores_${randomBytes(6).toString('hex')}`, text: 'SELECT 1' }
  let failure: string | undefined
  try {
    await client.query(statement)
    await other.query('BEGIN')
    await other.query('SELECT 1')
    await client.query(statement)
  } catch (error) {
    failure = (error as Error).message
  }
  await other.query('ROLLBACK').catch(() => {})
  exam.check(
    'postgres/pooler',
    failure !== undefined,
    'error',
    `The pooler before PostgreSQL forgets named statements: ${failure}.`,
    "Set the store's option namedStatements: false, or max_prepared_statements above 0 in PgBouncer 1.21 or newer.",
  )
}
