// An application for every compiler and module setting. It uses each store, its client and its
// methods.
import { memoryDriver, SessionStore, SessionStoreError, type StoreOptions } from '@session-stores/core'
import { MongoStore } from '@session-stores/mongodb'
import { PostgresStore } from '@session-stores/postgres'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'

import Database = require('better-sqlite3')
import session = require('express-session')

import { Cluster, Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { Pool } from 'pg'

declare module 'express-session' {
  interface SessionData {
    userId?: string
  }
}

const options: StoreOptions = { user: ({ userId }) => userId, idleTimeout: 60_000 }

export const makes: (() => SessionStore)[] = [
  () => new SessionStore(memoryDriver(), options),
  () => new RedisStore({ url: 'redis://localhost', prefix: 'app:', ...options }),
  () => new RedisStore({ client: new Redis('redis://localhost'), ...options }),
  () => new RedisStore({ client: new Cluster(['redis://localhost']), ...options }),
  () => new MongoStore({ url: 'mongodb://localhost', ...options }),
  () => new MongoStore({ client: new MongoClient('mongodb://localhost'), ...options }),
  () => new PostgresStore({ url: 'postgres://localhost', ...options }),
  () => new PostgresStore({ pool: new Pool(), ...options }),
  () => new SqliteStore({ path: 'sessions.db', ...options }),
  () => new SqliteStore({ database: new Database(':memory:'), ...options }),
]

export const mistakes: unknown[] = [
  // @ts-expect-error: a misspelt option
  () => new RedisStore({ clinet: new Redis() }),
  // @ts-expect-error: an option of the wrong type
  () => new SqliteStore({ path: 'sessions.db', touchAfter: '1m' }),
]

export async function use(store: SessionStore): Promise<number> {
  session({ store, secret: 'a secret', resave: false, saveUninitialized: false })
  await store.set('an id', { cookie: new session.Cookie(), userId: 'ada' })
  store.get('an id', (error, found) => {
    if (error instanceof SessionStoreError) console.log(error.code, found?.userId)
  })
  await store.touch('an id', { cookie: new session.Cookie() })
  const { sessions, next } = await store.list({ user: 'ada', limit: 10 })
  for (const { handle, expiresAt } of sessions) {
    const isEnded: boolean = await store.revoke(handle, { user: 'ada' })
    console.log(isEnded, expiresAt, next?.length)
  }
  await store.revokeUser('ada', { except: 'an id' })
  await store.destroy('an id')
  await store.ping()
  const removed = await store.prune()
  await store.close()
  return removed + (await store.length())
}
