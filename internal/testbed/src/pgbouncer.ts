import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { startProcess } from './process.ts'
import type { ProcessKind, ProcessServer } from './server.ts'
import { findBinary } from './sources.ts'
import { unprivileged } from './user.ts'

export interface PgbouncerOptions {
  /** The PostgreSQL behind the pooler. Clients use its user and password for the pooler, too. */
  readonly server: ProcessServer
  /**
   * Connections to PostgreSQL for each user and database.
   * @default 20
   */
  readonly poolSize?: number
  /** Additional settings of pgbouncer.ini, such as `{ server_login_retry: 1 }`. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/**
 * Starts a PgBouncer in transaction mode in front of a PostgreSQL. The pooler can be paused, killed
 * and started without affecting that server.
 * @throws SERVER_UNAVAILABLE
 */
export async function pgbouncer(options: PgbouncerOptions): Promise<ProcessServer> {
  const kind = makeKind(options)
  return startProcess(kind, await findBinary(kind))
}

function makeKind({ server, poolSize = 20, settings = {} }: PgbouncerOptions): ProcessKind {
  const { username, password, port: target } = new URL(server.url)
  const configuration = (port: number, folder: string) => ({
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    pidfile: join(folder, 'pid'),
    // PostgreSQL checks the password, which the pooler holds, so the pooler itself trusts all
    // clients.
    auth_type: 'trust',
    auth_file: join(folder, 'users'),
    admin_users: username,
    pool_mode: 'transaction',
    default_pool_size: poolSize,
    max_client_conn: 1000,
    ...settings,
  })
  return {
    name: 'PgBouncer',
    arrangement: `before ${server.version}`,
    commands: ['pgbouncer'],
    offPath: '/usr/sbin/pgbouncer',
    prepare: async (_binary, folder) => unprivileged(folder),
    args(port, folder) {
      const lines = Object.entries(configuration(port, folder)).map(([name, value]) => `${name} = ${value}`)
      const file = join(folder, 'pgbouncer.ini')
      writeFileSync(
        file,
        `[databases]\n* = host=127.0.0.1 port=${target}\n[pgbouncer]\n${lines.join('\n')}\n`,
      )
      writeFileSync(join(folder, 'users'), `"${username}" "${decodeURIComponent(password)}"\n`)
      return [file]
    },
    url: (port) => server.url.replace(/:\d+\//, `:${port}/`),
    identify,
  }
}

/** Queries the pooler's own database `pgbouncer`, so that it answers while PostgreSQL is down. */
async function identify(url: string): Promise<{ version: string; pid: number }> {
  const client = new pg.Client({
    connectionString: url.replace(/\/[^/]*$/, '/pgbouncer'),
    connectionTimeoutMillis: 2000,
  })
  // The connection may also break between two queries.
  client.on('error', () => {})
  try {
    await client.connect()
    const [version] = (await client.query('SHOW VERSION')).rows
    const { rows } = await client.query<{ key: string; value: string }>('SHOW CONFIG')
    const pidfile = rows.find(({ key }) => key === 'pidfile')!.value
    return { version: version.version.toLowerCase(), pid: Number(readFileSync(pidfile, 'utf8')) }
  } finally {
    await client.end()
  }
}
