import { SqliteStore } from '@session-stores/sqlite'
import Database from 'better-sqlite3'
import betterSqlite3 from 'better-sqlite3-session-store'
import session from 'express-session'
import { betterSqlite3SessionStore } from '../../../src/index.ts'
import type { Format, Old, Place } from '../places.ts'

function openSqlite({ url }: Place): Old {
  const client = new Database(url, { timeout: 5000 })
  client.pragma('journal_mode = WAL')
  const Store = betterSqlite3(session)
  return {
    // The timer of the package would keep the process alive.
    store: withoutTimer(() => new Store({ client })),
    reader: betterSqlite3SessionStore({ client }),
    corrupt: async (id, text) => client.prepare('UPDATE sessions SET sess = ? WHERE sid = ?').run(text, id),
    close: async () => client.close(),
  }
}

function withoutTimer<T>(make: () => T): T {
  const { setInterval } = globalThis
  globalThis.setInterval = ((...args: Parameters<typeof setInterval>) =>
    setInterval(...args).unref()) as typeof setInterval
  try {
    return make()
  } finally {
    globalThis.setInterval = setInterval
  }
}

const openNew: Format['openNew'] = ({ url }, options) =>
  new SqliteStore({ path: url, table: 'app_sessions', ...options })

export default {
  'better-sqlite3-session-store': { open: openSqlite, openNew },
} as Readonly<Record<string, Format>>
