import { execFile } from 'node:child_process'
import { existsSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { postgres, postgresBinary, postgresProcess } from './postgres.ts'
import { type Binary, startProcess } from './process.ts'
import { type FaultyProxy, startProxy } from './proxy.ts'
import type { Identity, Kind, ProcessServer } from './server.ts'
import { until } from './until.ts'
import { unprivileged } from './user.ts'

const run = promisify(execFile)

/** A PostgreSQL and a standby that copies it. Each of them runs in its own process. */
export interface PostgresPair extends AsyncDisposable, Identity {
  /** The server that takes writes now. */
  readonly primary: ProcessServer
  readonly standby: ProcessServer
  /** The network through which the standby copies the primary. */
  readonly link: FaultyProxy
  /** Makes the standby the primary. The old primary must not take writes any more. */
  promote(): Promise<void>
  /** After `promote`: makes a new standby in the place of the old primary. Returns when it is in sync. */
  rebuild(): Promise<void>
  stop(): Promise<void>
}

export interface PairOptions {
  /** Whether the primary answers a write only after the standby has it on disk. */
  readonly isSynchronous: boolean
  /** @default the result of `postgresBinary()` */
  readonly binary?: Binary
}

/**
 * Starts a primary and a standby. Returns when the standby is in sync.
 * @throws SERVER_UNAVAILABLE
 */
export async function postgresPair(options: PairOptions): Promise<PostgresPair> {
  const { isSynchronous, binary = await postgresBinary() } = options
  const args = [
    '-c',
    `synchronous_standby_names=${isSynchronous ? 'standby' : ''}`,
    '-c',
    'wal_keep_size=64MB',
  ]
  let primary = await postgresProcess({ binary, args })
  const link = await startProxy(primary)
  const state = isSynchronous ? 'sync' : 'async'
  const startStandby = async (): Promise<ProcessServer> => {
    const started = await startProcess(standbyOf(primary, link), binary, args)
    await until(async () => {
      const rows = await query(
        primary,
        'SELECT sync_state FROM pg_stat_replication WHERE state = $1',
        'streaming',
      )
      if (!rows.some(({ sync_state }) => sync_state === state)) throw new Error('the standby is not in sync')
    }, 30_000)
    return started
  }
  let standby = await startStandby().catch(async (error) => {
    await link.stop()
    await primary.stop()
    throw error
  })
  const stop = async () => {
    await Promise.all([standby.stop(), primary.stop()])
    await link.stop()
  }
  return {
    version: primary.version,
    source: primary.source,
    arrangement: `with a${isSynchronous ? ' synchronous' : 'n asynchronous'} standby`,
    get primary() {
      return primary
    },
    get standby() {
      return standby
    },
    link,
    async promote() {
      await query(standby, 'SELECT pg_promote(true, 30)')
      ;[primary, standby] = [standby, primary]
    },
    async rebuild() {
      await standby.stop()
      link.accept()
      link.resume()
      link.redirect(primary)
      standby = await startStandby()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** A server that begins as a copy of the primary and follows it. */
function standbyOf(primary: ProcessServer, link: FaultyProxy): Kind {
  return {
    ...postgres,
    async prepare(binary, folder) {
      const user = unprivileged(folder)
      const data = join(folder, 'data')
      if (existsSync(data)) return user
      const connection = `host=127.0.0.1 port=${link.port} user=postgres application_name=standby`
      const copy = ['-D', data, '-R', '-c', 'fast', '-X', 'stream', '--no-sync', '-d', connection]
      await run(join(dirname(realpathSync(binary)), 'pg_basebackup'), copy, { ...user, cwd: folder })
      rmSync(join(data, 'postmaster.pid'), { force: true })
      return user
    },
    url: (port) => primary.url.replace(/:\d+\//, `:${port}/`),
  }
}

async function query(
  { url }: ProcessServer,
  text: string,
  ...values: string[]
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(text, values)).rows
  } finally {
    await client.end()
  }
}
