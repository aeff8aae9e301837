import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SubjectInfo } from '../results/results.ts'

/** A subject as it is listed here; its packages' versions are read when it runs. */
export interface Entry extends Omit<SubjectInfo, 'packages'> {
  packages: readonly string[]
}

type Line = Pick<Entry, 'id' | 'name' | 'role' | 'packages'> & Partial<Entry>

/** The subjects of a database, with what they have in common. */
const on = (common: Pick<Entry, 'database' | 'durability' | 'server'>, lines: readonly Line[]): Entry[] =>
  lines.map((line) => {
    const { role, variant = 'standalone' } = line
    const plain = `ours-${common.database}`
    const rival = variant === 'standalone' || role === 'ours' ? plain : `${plain}-${variant}`
    return { ...common, variant, comparedWith: rival === line.id ? [] : [rival], ...line }
  })

const [ours, peer, floor, sealed] = ['ours', 'peer', 'floor', 'sealed'] as const

const wal = 'WAL, synchronous = NORMAL: a crash of the machine may lose the last commits'
const journal = 'rollback journal, synchronous = FULL'

const betterSqlite3 = ['better-sqlite3-session-store', 'better-sqlite3'] as const
const redisStore = ['@session-stores/redis', 'ioredis'] as const
const mongoStore = ['@session-stores/mongodb', 'mongodb'] as const
const postgresStore = ['@session-stores/postgres', 'pg'] as const
const sqliteStore = ['@session-stores/sqlite', 'better-sqlite3'] as const
const connectRedis = ['connect-redis', 'redis'] as const
const connectPg = ['connect-pg-simple', 'pg'] as const

const bouncer = { variant: 'pgbouncer', server: 'pgbouncer' }
const cluster = { variant: 'cluster', server: 'redis-cluster' }

/** All subjects. A new one is a line here, and how it is opened in the file of its database beside this one. */
export const catalogue: readonly Entry[] = [
  ...on({ database: 'redis', server: 'redis', durability: 'none: nothing is on disk' }, [
    { id: 'ours-redis', name: 'RedisStore', role: ours, packages: redisStore },
    { id: 'connect-redis', name: 'connect-redis on node-redis', role: peer, packages: connectRedis },
    {
      ...{ id: 'connect-redis-ioredis', name: 'connect-redis on ioredis' },
      ...{ role: peer, packages: ['connect-redis', 'ioredis'] },
    },
    { id: 'floor-redis', name: 'bare ioredis', role: floor, packages: ['ioredis'] },
    {
      id: 'ours-redis-sealed',
      name: 'RedisStore, sealed',
      role: ours,
      packages: redisStore,
      variant: sealed,
    },
    { id: 'ours-redis-cluster', name: 'RedisStore', role: ours, packages: redisStore, ...cluster },
    { id: 'connect-redis-cluster', name: 'connect-redis', role: peer, packages: connectRedis, ...cluster },
  ]),
  ...on({ database: 'mongodb', server: 'mongodb', durability: "w: 'majority', journaled" }, [
    { id: 'ours-mongodb', name: 'MongoStore', role: ours, packages: mongoStore },
    { id: 'connect-mongo', name: 'connect-mongo', role: peer, packages: ['connect-mongo', 'mongodb'] },
    { id: 'floor-mongodb', name: 'bare mongodb', role: floor, packages: ['mongodb'] },
    {
      id: 'ours-mongodb-sealed',
      name: 'MongoStore, sealed',
      role: ours,
      packages: mongoStore,
      variant: sealed,
    },
  ]),
  ...on({ database: 'postgres', server: 'postgres', durability: 'synchronous_commit = on, fsync = on' }, [
    { id: 'ours-postgres', name: 'PostgresStore', role: ours, packages: postgresStore },
    { id: 'connect-pg-simple', name: 'connect-pg-simple', role: peer, packages: connectPg },
    {
      ...{ id: 'connect-session-knex-postgres', name: 'connect-session-knex on PostgreSQL' },
      ...{ role: peer, packages: ['connect-session-knex', 'knex', 'pg'] },
    },
    { id: 'floor-postgres', name: 'bare pg', role: floor, packages: ['pg'] },
    {
      ...{ id: 'ours-postgres-sealed', name: 'PostgresStore, sealed' },
      ...{ role: ours, packages: postgresStore, variant: sealed },
    },
    { id: 'ours-postgres-pgbouncer', name: 'PostgresStore', role: ours, packages: postgresStore, ...bouncer },
    {
      id: 'connect-pg-simple-pgbouncer',
      name: 'connect-pg-simple',
      role: peer,
      packages: connectPg,
      ...bouncer,
    },
  ]),
  ...on({ database: 'sqlite', durability: wal }, [
    { id: 'ours-sqlite', name: 'SqliteStore', role: ours, packages: sqliteStore },
    {
      ...{ id: 'better-sqlite3-session-store', name: 'better-sqlite3-session-store' },
      ...{ role: peer, packages: betterSqlite3, durability: journal },
    },
    {
      ...{ id: 'better-sqlite3-session-store-wal', name: 'better-sqlite3-session-store, WAL' },
      ...{ role: peer, packages: betterSqlite3 },
    },
    {
      ...{ id: 'connect-sqlite3', name: 'connect-sqlite3, WAL' },
      ...{ role: peer, packages: ['connect-sqlite3'] },
    },
    {
      ...{ id: 'connect-session-knex-sqlite', name: 'connect-session-knex on SQLite, WAL' },
      ...{ role: peer, packages: ['connect-session-knex', 'knex', 'better-sqlite3'] },
    },
    { id: 'floor-sqlite', name: 'bare better-sqlite3', role: floor, packages: ['better-sqlite3'] },
    {
      id: 'ours-sqlite-sealed',
      name: 'SqliteStore, sealed',
      role: ours,
      packages: sqliteStore,
      variant: sealed,
    },
  ]),
  ...on({ database: 'memory', durability: 'none: gone with the process' }, [
    {
      ...{ id: 'ours-memory', name: 'SessionStore on memoryDriver' },
      ...{ role: ours, packages: ['@session-stores/core'] },
    },
    { id: 'memorystore', name: 'memorystore', role: peer, packages: ['memorystore'] },
    {
      id: 'MemoryStore',
      name: "express-session's MemoryStore",
      role: 'ceiling',
      packages: ['express-session'],
    },
  ]),
  ...on({ database: 'files', durability: 'one file each, flushed and renamed' }, [
    {
      ...{ id: 'session-file-store', name: 'session-file-store', role: peer },
      ...{ packages: ['session-file-store'], comparedWith: ['ours-sqlite'] },
    },
  ]),
]

/** Two that are the same subject, to be compared with each other. */
export function controlsOf(entry: Entry): Entry[] {
  const control = { ...entry, role: 'control', variant: 'control', controlOf: entry.id } as const
  return [
    { ...control, id: 'control-a', name: `${entry.name}, A`, comparedWith: [] },
    { ...control, id: 'control-b', name: `${entry.name}, B`, comparedWith: ['control-a'] },
  ]
}

/** With the versions that are installed. */
export function infoOf(entry: Entry): SubjectInfo {
  return { ...entry, packages: entry.packages.map((name) => ({ name, version: versionOf(name) })) }
}

function versionOf(name: string): string {
  const file = join(import.meta.dirname, '../../node_modules', name, 'package.json')
  if (!existsSync(file)) return 'not installed'
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
