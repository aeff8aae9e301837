/**
 * An application that uses the packages as they are installed beside it. The command copies this
 * file into folders with different versions, so it must import nothing else of this
 * repository but the visit beside it. Its arguments are the database and the place of its sessions.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { SessionStore, StoreOptions } from '@session-stores/core'
import express from 'express'
import session from 'express-session'
import { visit } from './visit.ts'

const [database, place] = process.argv.slice(2) as ['redis' | 'postgres' | 'mongodb' | 'sqlite', string]
const options: StoreOptions = { user: (one) => (one as { userId?: string }).userId }
const name = `compatibility_${randomUUID().slice(0, 8)}`

/**
 * Makes stores: one opens its own client, and the others borrow clients of the application.
 */
const makers: Record<typeof database, () => Promise<[make: () => SessionStore, close: () => unknown][]>> = {
  async redis() {
    const { RedisStore } = await import('@session-stores/redis')
    const { Redis } = await import('ioredis')
    const { createClient } = await import('redis')
    const client = new Redis(place, { lazyConnect: true })
    const other = createClient({ url: place }).on('error', console.error)
    await other.connect()
    const own = { prefix: `${name}:`, ...options }
    return [
      [() => new RedisStore({ url: place, ...own }), () => {}],
      [() => new RedisStore({ client, ...own }), () => client.quit()],
      [() => new RedisStore({ client: other, ...own }), () => other.close()],
    ]
  },
  async postgres() {
    const { PostgresStore } = await import('@session-stores/postgres')
    const { Pool } = (await import('pg')).default
    const pool = new Pool({ connectionString: place })
    const own = { table: name, ...options }
    return [
      [() => new PostgresStore({ url: place, ...own }), () => {}],
      [
        () => new PostgresStore({ pool, ...own }),
        async () => {
          await pool.query(`DROP TABLE ${name}`)
          await pool.end()
        },
      ],
    ]
  },
  async mongodb() {
    const { MongoStore } = await import('@session-stores/mongodb')
    const { MongoClient } = await import('mongodb')
    const client = new MongoClient(place)
    const own = { collection: name, ...options }
    return [
      [() => new MongoStore({ url: place, ...own }), () => {}],
      [
        () => new MongoStore({ client, ...own }),
        async () => {
          await client.db().dropCollection(name)
          await client.close()
        },
      ],
    ]
  },
  async sqlite() {
    const { SqliteStore } = await import('@session-stores/sqlite')
    const { default: Connection } = await import('better-sqlite3')
    const connection = new Connection(place)
    return [
      [() => new SqliteStore({ path: place, ...options }), () => {}],
      [() => new SqliteStore({ database: connection, ...options }), () => connection.close()],
    ]
  },
}

for (const [make, close] of await makers[database]()) {
  const store = make()
  try {
    await use(store)
  } finally {
    await store.close()
    await close()
  }
}

async function use(store: SessionStore): Promise<void> {
  const app = express()
  app.use(session({ store, secret: 'a secret', resave: false, saveUninitialized: false }))
  app.post('/login', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error)
      Object.assign(req.session, { userId: 'ada' })
      req.session.save((failure) => (failure ? next(failure) : res.end()))
    })
  })
  app.post('/keys/:key', (req, res) => {
    Object.assign(req.session, { [req.params.key]: 'saved' })
    res.end()
  })
  app.post('/logout', (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.end()))
  })
  app.get('/', (req, res) => {
    const { cookie, ...data } = req.session
    // `res.json` of the oldest Express does not work on a current Node.
    res.end(JSON.stringify(data))
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await visit(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, store)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}
