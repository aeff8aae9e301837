import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type DatabaseId, databaseIds, databases } from '@session-stores/testbed/databases'
import type { SubjectInfo } from '../results/results.ts'

/** A subject of the catalogue. The versions of its packages are read at run time. */
export interface Entry extends Omit<SubjectInfo, 'packages'> {
  packages: readonly string[]
  /** What opens the subject, where it is not the subject's own id. */
  opens?: string
}

type Line = Pick<Entry, 'id' | 'name' | 'role' | 'packages'> & Partial<Entry>

/** Combines the subjects of a database with their common fields. */
const onDatabase = (
  common: Pick<Entry, 'database' | 'durability' | 'server'>,
  lines: readonly Line[],
): Entry[] =>
  lines.map((line) => {
    const { role, variant = 'standalone' } = line
    const plain = `ours-${common.database}`
    const rival = variant === 'standalone' || role === 'ours' ? plain : `${plain}-${variant}`
    return { ...common, variant, comparedWith: rival === line.id ? [] : [rival], ...line }
  })

const [ours, peer, floor] = ['ours', 'peer', 'floor'] as const

const wal = 'WAL, synchronous = NORMAL: a crash of the machine may lose the last commits'
const journal = 'rollback journal, synchronous = FULL'

const betterSqlite3 = ['better-sqlite3-session-store', 'better-sqlite3'] as const
/** Returns the name and the packages of this project's store, optionally sealed. */
function ourStore(id: DatabaseId, seal?: 'sealed'): Line {
  const { store, package: name, client } = databases[id]
  const line = { id: `ours-${id}`, name: store, role: ours, packages: [name, client] }
  return seal ? { ...line, id: `ours-${id}-${seal}`, name: `${store}, ${seal}`, variant: seal } : line
}

/** The same with `freshness` and `touchAfter`, as the settings for production have it. */
const withNear = (id: DatabaseId): Line => ({
  ...ourStore(id),
  ...{ id: `ours-${id}-near`, name: `${databases[id].store}, freshness: 1000`, variant: 'near' },
})

/** The same with the option `user`, which makes a store keep an index. */
const withUser = (id: DatabaseId): Line => ({
  ...ourStore(id),
  ...{ id: `ours-${id}-user`, name: `${databases[id].store}, user`, variant: 'user' },
})

const connectRedis = ['connect-redis', 'redis'] as const
const connectPg = ['connect-pg-simple', 'pg'] as const

const bouncer = { variant: 'pgbouncer', server: 'pgbouncer' }
const cluster = { variant: 'cluster', server: 'redis-cluster' }

const places: Readonly<Record<DatabaseId, Pick<Entry, 'database' | 'durability' | 'server'>>> = {
  redis: { database: 'redis', server: 'redis', durability: 'none: nothing is on disk' },
  mongodb: { database: 'mongodb', server: 'mongodb', durability: "w: 'majority', journaled" },
  postgres: { database: 'postgres', server: 'postgres', durability: 'synchronous_commit = on, fsync = on' },
  sqlite: { database: 'sqlite', durability: wal },
}
const memory = { database: 'memory', durability: 'none: gone with the process' } as const

const token = ['@session-stores/token', 'jose']
const tokens = { variant: 'tokens', packages: token, comparedWith: [] }
const application = {
  variant: 'application',
  packages: ['@session-stores/express', 'express'],
  comparedWith: [],
}

/** Returns the ways to find out who sent a request, on a database. */
function tokensOn(id: DatabaseId): Entry[] {
  const { store } = databases[id]
  const name = `on ${store}`
  return onDatabase(places[id], [
    { ...tokens, id: `tokens-lookup-${id}`, name: `a session lookup ${name}`, role: floor },
    { ...tokens, id: `tokens-second-${id}`, name: `Tokens ${name}, freshness: 1000`, role: ours },
    { ...tokens, id: `tokens-asking-${id}`, name: `Tokens ${name}, freshness: 0`, role: ours },
  ])
}

/** Returns the whole applications on a database. */
function applicationsOn(id: DatabaseId): Entry[] {
  const name = `on ${databases[id].store}`
  return onDatabase(places[id], [
    {
      ...application,
      id: `app-open-${id}`,
      name: `no authentication (${databases[id].name})`,
      role: 'ceiling',
    },
    { ...application, id: `app-session-${id}`, name: `express-session ${name}`, role: floor },
    { ...application, id: `app-preset-${id}`, name: `sessions() ${name}`, role: ours },
    { ...application, id: `app-token-${id}`, name: `a token ${name}, freshness: 1000`, role: ours },
    { ...application, id: `app-asking-${id}`, name: `a token ${name}, freshness: 0`, role: ours },
  ])
}

/**
 * All subjects. A new subject needs a line here and a function in the file of its database beside
 * this one.
 */
export const catalogue: readonly Entry[] = [
  ...onDatabase(places.redis, [
    ourStore('redis'),
    {
      ...{ id: 'ours-redis-node-redis', name: 'RedisStore on node-redis', role: ours, variant: 'client' },
      packages: [databases.redis.package, 'redis'],
    },
    { id: 'connect-redis', name: 'connect-redis on node-redis', role: peer, packages: connectRedis },
    {
      ...{ id: 'connect-redis-ioredis', name: 'connect-redis on ioredis' },
      ...{ role: peer, packages: ['connect-redis', 'ioredis'] },
    },
    { id: 'floor-redis', name: 'bare ioredis', role: floor, packages: ['ioredis'] },
    ourStore('redis', 'sealed'),
    withNear('redis'),
    withUser('redis'),
    { ...ourStore('redis'), id: 'ours-redis-cluster', ...cluster },
    { id: 'connect-redis-cluster', name: 'connect-redis', role: peer, packages: connectRedis, ...cluster },
  ]),
  ...onDatabase(places.mongodb, [
    ourStore('mongodb'),
    { id: 'connect-mongo', name: 'connect-mongo', role: peer, packages: ['connect-mongo', 'mongodb'] },
    { id: 'floor-mongodb', name: 'bare mongodb', role: floor, packages: ['mongodb'] },
    ourStore('mongodb', 'sealed'),
    withNear('mongodb'),
    withUser('mongodb'),
  ]),
  ...onDatabase(places.postgres, [
    ourStore('postgres'),
    { id: 'connect-pg-simple', name: 'connect-pg-simple', role: peer, packages: connectPg },
    {
      ...{ id: 'connect-session-knex-postgres', name: 'connect-session-knex on PostgreSQL' },
      ...{ role: peer, packages: ['connect-session-knex', 'knex', 'pg'] },
    },
    { id: 'floor-postgres', name: 'bare pg', role: floor, packages: ['pg'] },
    ourStore('postgres', 'sealed'),
    withNear('postgres'),
    withUser('postgres'),
    { ...ourStore('postgres'), id: 'ours-postgres-pgbouncer', ...bouncer },
    {
      id: 'connect-pg-simple-pgbouncer',
      name: 'connect-pg-simple',
      role: peer,
      packages: connectPg,
      ...bouncer,
    },
  ]),
  ...onDatabase(places.sqlite, [
    ourStore('sqlite'),
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
    ourStore('sqlite', 'sealed'),
    withNear('sqlite'),
    withUser('sqlite'),
  ]),
  ...onDatabase(memory, [
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
  ...onDatabase(memory, [
    {
      ...tokens,
      id: 'tokens-jose',
      name: 'jose alone',
      role: peer,
      packages: ['jose'],
      comparedWith: ['tokens-first'],
    },
    { ...tokens, id: 'tokens-first', name: 'Tokens, a token for the first time', role: ours },
    { ...tokens, id: 'tokens-cached', name: 'Tokens, freshness: false', role: ours },
  ]),
  ...databaseIds.flatMap(tokensOn),
  ...(['redis', 'sqlite'] as const).flatMap(applicationsOn),
  ...onDatabase({ database: 'files', durability: 'one file each, flushed and renamed' }, [
    {
      ...{ id: 'session-file-store', name: 'session-file-store', role: peer },
      ...{ packages: ['session-file-store'], comparedWith: ['ours-sqlite'] },
    },
  ]),
]

/**
 * Returns all subjects, or, with the folder of another checkout of this repository, our stores and beside
 * each of them the store as that checkout has it.
 */
export function entriesBeside(folder: string | undefined): readonly Entry[] {
  if (folder === undefined) return catalogue
  const module = pathToFileURL(resolve(folder, 'benchmarks/src/subjects/open.ts'))
  return databaseIds.flatMap((database) => {
    const entry = catalogue.find(({ id }) => id === `ours-${database}`)!
    const before = { id: `before-${database}`, name: `${entry.name}, before`, role: peer }
    return [entry, { ...entry, ...before, opens: `${module}#${entry.id}`, comparedWith: [entry.id] }]
  })
}

/** Returns two controls: copies of one subject, which are compared with each other. */
export function controlsOf(entry: Entry): Entry[] {
  const control = {
    ...entry,
    ...({ role: 'control', variant: 'control', controlOf: entry.id, opens: entry.id } as const),
  }
  return [
    { ...control, id: 'control-a', name: `${entry.name}, A`, comparedWith: [] },
    { ...control, id: 'control-b', name: `${entry.name}, B`, comparedWith: ['control-a'] },
  ]
}

/** Adds the installed versions of the packages. */
export function infoOf({ opens: _, ...entry }: Entry): SubjectInfo {
  return { ...entry, packages: entry.packages.map((name) => ({ name, version: versionOf(name) })) }
}

function versionOf(name: string): string {
  const file = join(import.meta.dirname, '../../node_modules', name, 'package.json')
  if (!existsSync(file)) return 'not installed'
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
