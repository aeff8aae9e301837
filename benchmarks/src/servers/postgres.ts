import { readdirSync, readFileSync } from 'node:fs'
import { type ProcessServer, postgresProcess } from '@session-stores/testbed'
import pg from 'pg'
import type { BenchServer, Counts } from './server.ts'

const COUNTING = ['-c', 'shared_preload_libraries=pg_stat_statements']
/** A cache that holds all sessions of a run, as a real installation would configure it. */
const ROOM = ['-c', 'shared_buffers=2GB']
/** Subjects that take turns keep their pools: four of them, in nine processes, with ten connections each. */
const CONNECTIONS = ['-c', 'max_connections=500']
const SHOWN = [
  'synchronous_commit',
  'fsync',
  'full_page_writes',
  'shared_buffers',
  'max_wal_size',
  'max_connections',
]

export interface PostgresServer extends BenchServer {
  readonly process: ProcessServer
}

export async function startPostgres(): Promise<PostgresServer> {
  const { server, counting } = await start()
  // The pool has one connection, so concurrent queries wait for their turn.
  const admin = new pg.Pool({ connectionString: server.url, max: 1, idleTimeoutMillis: 0 })
  if (counting) await admin.query('CREATE EXTENSION pg_stat_statements')
  const { rows } = await admin.query(
    'SELECT name, current_setting(name) AS setting FROM pg_settings WHERE name = ANY ($1) ORDER BY 1',
    [SHOWN],
  )
  const settings = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
  if (!counting) settings['round trips'] = 'not counted: this server comes without pg_stat_statements'

  return {
    process: server,
    info: { name: 'postgres', version: server.version, settings },
    async empty(name) {
      await admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
      await admin.query(`CREATE DATABASE "${name}"`)
      // Otherwise the checkpoint for the dropped database would happen during a measurement.
      await admin.query('CHECKPOINT')
      if (counting) await admin.query('SELECT pg_stat_statements_reset()')
      const url = new URL(server.url)
      url.pathname = `/${name}`
      return [url.href]
    },
    async settle(url) {
      const client = new pg.Client(url)
      await client.connect()
      try {
        await client.query('VACUUM ANALYZE')
        await client.query('CHECKPOINT')
      } finally {
        await client.end()
      }
    },
    async counts() {
      if (!counting) return { roundTrips: null, commands: null } satisfies Counts
      const { rows } = await admin.query(`
        SELECT coalesce(sum(calls), 0)::float8 AS calls FROM pg_stat_statements
        WHERE dbid <> (SELECT oid FROM pg_database WHERE datname = current_database())`)
      // The clients wait for the answer to each statement, so each call is a round trip.
      return { roundTrips: rows[0].calls, commands: rows[0].calls } satisfies Counts
    },
    async stored(url) {
      const client = new pg.Client(url)
      await client.connect()
      try {
        const { rows: tables } = await client.query(
          "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'",
        )
        let sum = 0
        for (const { name } of tables)
          sum += Number((await client.query(`SELECT count(*) FROM ${name}`)).rows[0].count)
        return sum
      } finally {
        await client.end()
      }
    },
    async size(url) {
      const client = new pg.Client(url)
      await client.connect()
      try {
        const { rows } = await client.query(`
          SELECT coalesce(sum(pg_table_size(oid)), 0)::float8 AS data,
            coalesce(sum(pg_indexes_size(oid)), 0)::float8 AS indexes
          FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
        return { ...(rows[0] as { data: number; indexes: number }), compressed: null }
      } finally {
        await client.end()
      }
    },
    pids: () => [server.pid!, ...childrenOf(server.pid!)],
    async stop() {
      await admin.end()
      await server.stop()
    },
  }
}

/**
 * Starts PostgreSQL with pg_stat_statements, or without it if the installation does not include it.
 */
async function start(): Promise<{ server: ProcessServer; counting: boolean }> {
  const args = [...ROOM, ...CONNECTIONS]
  try {
    return { server: await postgresProcess({ args: [...args, ...COUNTING] }), counting: true }
  } catch (error) {
    if (!/pg_stat_statements/.test(String(error))) throw error
    return { server: await postgresProcess({ args }), counting: false }
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
      } catch {
        // The process has ended in the meantime.
        return false
      }
    })
}
