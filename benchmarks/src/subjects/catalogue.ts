import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DatabaseId, databases } from '@session-stores/testbed/databases'
import type { SubjectInfo } from '../results/results.ts'

/** A subject of the catalogue. The versions of its packages are read at run time. */
export interface Entry extends Omit<SubjectInfo, 'packages'> {
  packages: readonly string[]
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

const connectRedis = ['connect-redis', 'redis'] as const
const connectPg = ['connect-pg-simple', 'pg'] as const

const bouncer = { variant: 'pgbouncer', server: 'pgbouncer' }
const cluster = { variant: 'cluster', server: 'redis-cluster' }

/**
 * All subjects. A new subject needs a line here and a function in the file of its database beside
 * this one.
 */
export const catalogue: readonly Entry[] = [
  ...onDatabase({ database: 'redis', server: 'redis', durability: 'none: nothing is on disk' }, [
    ourStore('redis'),
    { id: 'connect-redis', name: 'connect-redis on node-redis', role: peer, packages: connectRedis },
    {
      ...{ id: 'connect-redis-ioredis', name: 'connect-redis on ioredis' },
      ...{ role: peer, packages: ['connect-redis', 'ioredis'] },
    },
    { id: 'floor-redis', name: 'bare ioredis', role: floor, packages: ['ioredis'] },
    ourStore('redis', 'sealed'),
    { ...ourStore('redis'), id: 'ours-redis-cluster', ...cluster },
    { id: 'connect-redis-cluster', name: 'connect-redis', role: peer, packages: connectRedis, ...cluster },
  ]),
  ...onDatabase({ database: 'mongodb', server: 'mongodb', durability: "w: 'majority', journaled" }, [
    ourStore('mongodb'),
    { id: 'connect-mongo', name: 'connect-mongo', role: peer, packages: ['connect-mongo', 'mongodb'] },
    { id: 'floor-mongodb', name: 'bare mongodb', role: floor, packages: ['mongodb'] },
    ourStore('mongodb', 'sealed'),
  ]),
  ...onDatabase(
    { database: 'postgres', server: 'postgres', durability: 'synchronous_commit = on, fsync = on' },
    [
      ourStore('postgres'),
      { id: 'connect-pg-simple', name: 'connect-pg-simple', role: peer, packages: connectPg },
      {
        ...{ id: 'connect-session-knex-postgres', name: 'connect-session-knex on PostgreSQL' },
        ...{ role: peer, packages: ['connect-session-knex', 'knex', 'pg'] },
      },
      { id: 'floor-postgres', name: 'bare pg', role: floor, packages: ['pg'] },
      ourStore('postgres', 'sealed'),
      { ...ourStore('postgres'), id: 'ours-postgres-pgbouncer', ...bouncer },
      {
        id: 'connect-pg-simple-pgbouncer',
        name: 'connect-pg-simple',
        role: peer,
        packages: connectPg,
        ...bouncer,
      },
    ],
  ),
  ...onDatabase({ database: 'sqlite', durability: wal }, [
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
  ]),
  ...onDatabase({ database: 'memory', durability: 'none: gone with the process' }, [
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
  ...onDatabase({ database: 'files', durability: 'one file each, flushed and renamed' }, [
    {
      ...{ id: 'session-file-store', name: 'session-file-store', role: peer },
      ...{ packages: ['session-file-store'], comparedWith: ['ours-sqlite'] },
    },
  ]),
]

/** Returns two controls: copies of one subject, which are compared with each other. */
export function controlsOf(entry: Entry): Entry[] {
  const control = { ...entry, role: 'control', variant: 'control', controlOf: entry.id } as const
  return [
    { ...control, id: 'control-a', name: `${entry.name}, A`, comparedWith: [] },
    { ...control, id: 'control-b', name: `${entry.name}, B`, comparedWith: ['control-a'] },
  ]
}

/** Adds the installed versions of the packages. */
export function infoOf(entry: Entry): SubjectInfo {
  return { ...entry, packages: entry.packages.map((name) => ({ name, version: versionOf(name) })) }
}

function versionOf(name: string): string {
  const file = join(import.meta.dirname, '../../node_modules', name, 'package.json')
  if (!existsSync(file)) return 'not installed'
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
