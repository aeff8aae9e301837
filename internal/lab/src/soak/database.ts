import { globSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  ask,
  ifThere,
  mongoReplicaSet,
  type ProcessServer,
  postgresProcess,
  processesOf,
  redisProcess,
} from '@session-stores/testbed'
import type { DatabaseId } from '@session-stores/testbed/databases'
import Sqlite from 'better-sqlite3'
import { Redis } from 'ioredis'
import pg from 'pg'
import { toDirectUrl } from '../servers.ts'

/** A database that a soak fills, measures and disturbs. */
export interface SoakDatabase extends AsyncDisposable {
  readonly version: string
  /** The URL, or the path of the file. */
  readonly place: string
  /** Returns the sizes of what the store keeps there. */
  measure(): Promise<Record<string, number>>
  /** The mild faults by their names. */
  readonly faults: Readonly<Record<string, () => Promise<void>>>
}

const sizeOf = (paths: readonly string[]): number =>
  paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)

/** Returns the number of files that a process and its descendants have open. */
const countFiles = (pid: number): number =>
  processesOf(pid).reduce(
    (sum, each) => sum + (ifThere(() => readdirSync(`/proc/${each}/fd`).length) ?? 0),
    0,
  )

function ofServer(
  server: ProcessServer,
  place: string,
  measure: () => Promise<Record<string, number>>,
  cut?: () => Promise<void>,
): SoakDatabase {
  return {
    version: server.version,
    place,
    measure: async () => ({ ...(await measure()), serverFiles: countFiles(server.pid!) }),
    faults: {
      ...(cut && { 'connections closed by the server': cut }),
      async 'server killed and started again'() {
        await server.kill()
        await server.start()
      },
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

async function startRedis(): Promise<SoakDatabase> {
  const server = await redisProcess({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] })
  const withClient = async <T>(use: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis(server.url)
    try {
      return await use(client)
    } finally {
      client.disconnect()
    }
  }
  return ofServer(
    server,
    server.url,
    () =>
      withClient(async (client) => {
        const info = await client.info()
        const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1])
        return {
          rows: await client.dbsize(),
          table: field('used_memory_dataset'),
          objects: field('number_of_cached_scripts'),
          log: sizeOf(globSync(join(server.folder, 'appendonlydir/*'))),
          connections: field('connected_clients') - 1,
        }
      }),
    () =>
      withClient(
        async (client) => void (await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
      ),
  )
}

async function startPostgres(): Promise<SoakDatabase> {
  // Autovacuum follows the time that the application's clock makes shorter.
  const server = await postgresProcess({
    args: ['-c', 'autovacuum_naptime=3s', '-c', 'max_wal_size=128MB', '-c', 'min_wal_size=32MB'],
  })
  const query = async (text: string): Promise<Record<string, string>> => {
    const client = new pg.Client(server.url)
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(text)).rows[0]
    } finally {
      await client.end()
    }
  }
  return ofServer(
    server,
    server.url,
    async () => {
      const row = await query(`
        SELECT (SELECT count(*) FROM sessions) AS rows, pg_table_size('sessions') AS table,
          pg_indexes_size('sessions') AS indexes, (SELECT sum(size) FROM pg_ls_waldir()) AS log,
          (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS objects,
          (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
            AND pid <> pg_backend_pid()) AS connections`)
      return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]))
    },
    async () => {
      await query(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`)
    },
  )
}

async function startMongo(): Promise<SoakDatabase> {
  // The TTL index follows the clock of the server, for which the application's sessions are long over.
  const server = await mongoReplicaSet({
    args: ['--oplogSize', '100', '--setParameter', 'ttlMonitorEnabled=false'],
  })
  const url = toDirectUrl('mongodb', server)
  return ofServer(server, url, () =>
    ask(url, async (client) => {
      const db = client.db('test')
      const { connections } = await client.db('admin').command({ serverStatus: 1 })
      const stats = await db.command({ dbStats: 1 })
      const oplog = await client.db('local').command({ collStats: 'oplog.rs' })
      return {
        rows: stats.objects,
        table: stats.storageSize,
        indexes: stats.indexSize,
        objects: stats.collections + stats.indexes,
        log: oplog.size,
        connections: connections.current,
      }
    }),
  )
}

async function startSqlite(): Promise<SoakDatabase> {
  const folder = mkdtempSync(join(process.env.SESSION_STORES_SERVER_FOLDER ?? tmpdir(), 'soak-'))
  const place = join(folder, 'sessions.db')
  const open = (): Sqlite.Database => new Sqlite(place, { timeout: 5000 })
  return {
    version: `sqlite ${new Sqlite(':memory:').prepare('SELECT sqlite_version()').pluck().get()}`,
    place,
    async measure() {
      const log = sizeOf([`${place}-wal`])
      const db = open()
      try {
        const one = (sql: string): number => db.prepare(sql).pluck().get() as number
        return {
          rows: one('SELECT count(*) FROM sessions'),
          table: one('PRAGMA page_count') * one('PRAGMA page_size'),
          objects: one('SELECT count(*) FROM sqlite_schema'),
          log,
        }
      } finally {
        db.close()
      }
    },
    faults: {
      async 'file locked by another process'() {
        const db = open()
        try {
          db.exec('BEGIN IMMEDIATE')
          await pause(300)
          db.exec('COMMIT')
        } finally {
          db.close()
        }
      },
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  }
}

const STARTERS: Readonly<Record<DatabaseId, () => Promise<SoakDatabase>>> = {
  redis: startRedis,
  postgres: startPostgres,
  mongodb: startMongo,
  sqlite: startSqlite,
}

/**
 * Starts the database that a soak fills.
 * @throws SERVER_UNAVAILABLE
 */
export const startSoakDatabase = (database: DatabaseId): Promise<SoakDatabase> => STARTERS[database]()
