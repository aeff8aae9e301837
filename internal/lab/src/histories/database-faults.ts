import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { DatabaseId } from '@session-stores/testbed/databases'
import Database from 'better-sqlite3'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import pg from 'pg'
import type { Place } from './place.ts'
import { type Fault, rest } from './scene.ts'

/** What an administrator, another application or a full server does to each database. */

/** The name of the table and of the collection, which is that of the stores. */
const NAME = 'sessions'
/** PostgreSQL: there is no such table. */
const UNDEFINED_TABLE = '42P01'
/** More connections than any server of a place accepts. */
const TOO_MANY = 1000

async function onRedis<T>({ direct }: Place, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(direct)
  try {
    return await work(client)
  } finally {
    client.disconnect()
  }
}

async function onPostgres<T>({ direct }: Place, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(direct)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function onMongo<T>({ direct }: Place, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(direct)
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

function onSqlite<T>({ direct }: Place, work: (database: Database.Database) => T): T {
  const database = new Database(direct)
  try {
    database.pragma('busy_timeout = 5000')
    return work(database)
  } finally {
    database.close()
  }
}

/** Drops what a query names. */
const dropIndexes = `SELECT indexname AS name FROM pg_indexes
  WHERE tablename = '${NAME}' AND indexdef NOT LIKE 'CREATE UNIQUE%'`

const redis: Readonly<Record<string, Fault>> = {
  FLUSHALL: (scene) => scene.lose('flush', () => onRedis(scene.place, (client) => client.flushall())),
  'SCRIPT FLUSH': ({ place }) => onRedis(place, (client) => client.script('FLUSH')),
  'server accepts no more connections': (scene) =>
    onRedis(scene.place, async (client) => {
      await client.config('SET', 'maxclients', 1)
      scene.place.proxy!.cut()
      await rest(scene, 50, 600)
      await client.config('SET', 'maxclients', 10_000)
    }),
  'connections killed by the server': ({ place }) =>
    onRedis(place, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
  'commands paused by the server': (scene) =>
    onRedis(scene.place, (client) => client.call('CLIENT', 'PAUSE', Math.floor(50 + scene.random() * 600))),
}

const postgres: Readonly<Record<string, Fault>> = {
  async 'server accepts no more connections'(scene) {
    const held: pg.Client[] = []
    try {
      for (let i = 0; i < TOO_MANY; i++) {
        const client = new pg.Client(scene.place.direct)
        client.on('error', () => {})
        try {
          await client.connect()
        } catch {
          break
        }
        held.push(client)
        // The clients of the applications make room, and do not get it back.
        if (i === 0) scene.place.proxy!.cut()
      }
      await rest(scene, 50, 600)
    } finally {
      await Promise.all(held.map((client) => client.end()))
    }
  },
  'table locked, which uses up the pools': (scene) =>
    onPostgres(scene.place, async (client) => {
      await client.query('BEGIN')
      try {
        await client.query(`LOCK TABLE ${NAME} IN ACCESS EXCLUSIVE MODE`)
        await rest(scene, 50, 900)
      } catch (error) {
        if ((error as { code?: string }).code !== UNDEFINED_TABLE) throw error
      } finally {
        await client.query('ROLLBACK')
      }
    }),
  'connections killed by the server': ({ place }) =>
    onPostgres(place, (client) =>
      client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`),
    ),
  'table dropped': (scene) =>
    scene.lose('flush', () =>
      onPostgres(scene.place, (client) => client.query(`DROP TABLE IF EXISTS ${NAME}`)),
    ),
  'indexes dropped': ({ place }) =>
    onPostgres(place, async (client) => {
      const { rows } = await client.query<{ name: string }>(dropIndexes)
      for (const { name } of rows) await client.query(`DROP INDEX IF EXISTS ${client.escapeIdentifier(name)}`)
    }),
}

const mongodb: Readonly<Record<string, Fault>> = {
  'writes locked, which uses up the pools': (scene) =>
    onMongo(scene.place, async (client) => {
      const admin = client.db('admin')
      await admin.command({ fsync: 1, lock: true })
      await rest(scene, 50, 900)
      await admin.command({ fsyncUnlock: 1 })
    }),
  async 'server accepts no more connections'(scene) {
    const { port } = new URL(scene.place.direct)
    const held: Socket[] = []
    try {
      scene.place.proxy!.cut()
      for (let i = 0; i < TOO_MANY; i++) {
        const socket = connect(Number(port), '127.0.0.1')
        socket.on('error', () => {})
        held.push(socket)
      }
      await rest(scene, 50, 600)
    } finally {
      for (const socket of held) socket.destroy()
    }
  },
  'collection dropped': (scene) =>
    scene.lose('flush', () => onMongo(scene.place, (client) => client.db().dropCollection(NAME))),
  'indexes dropped': ({ place }) =>
    onMongo(place, async (client) => {
      const collection = client.db().collection(NAME)
      await collection.dropIndexes().catch((error) => {
        if (error.codeName !== 'NamespaceNotFound') throw error
      })
    }),
}

const sqlite: Readonly<Record<string, Fault>> = {
  async 'file locked'(scene) {
    const database = new Database(scene.place.direct)
    try {
      database.pragma('busy_timeout = 5000')
      database.exec('BEGIN IMMEDIATE')
      await rest(scene, 50, 700)
      database.exec('COMMIT')
    } finally {
      database.close()
    }
  },
  'table dropped': (scene) =>
    scene.lose('flush', async () =>
      onSqlite(scene.place, (database) => database.exec(`DROP TABLE IF EXISTS ${NAME}`)),
    ),
  'indexes dropped': ({ place }) =>
    Promise.resolve(
      onSqlite(place, (database) => {
        const names = database
          .prepare(`SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL`)
          .pluck()
          .all(NAME)
        for (const name of names) database.exec(`DROP INDEX IF EXISTS "${name}"`)
      }),
    ),
  async 'file checkpointed and locked against readers'(scene) {
    const database = new Database(scene.place.direct)
    try {
      database.pragma('busy_timeout = 5000')
      database.pragma('wal_checkpoint(TRUNCATE)')
      database.exec('BEGIN EXCLUSIVE')
      await pause(50 + scene.random() * 500)
      database.exec('COMMIT')
    } finally {
      database.close()
    }
  },
}

export const ofDatabases: Readonly<Record<DatabaseId, Readonly<Record<string, Fault>>>> = {
  redis,
  postgres,
  mongodb,
  sqlite,
}
