import { join } from 'node:path'
import session from 'express-session'
import { Floor, NEAR, type Place, SEAL, type Subject, type Subjects, user } from './subject.ts'

const fileOf = ({ folder }: Place): string => join(folder, 'sessions.db')

export const sqliteSubjects: Subjects = {
  async 'ours-sqlite'(place) {
    const { SqliteStore } = await import('@session-stores/sqlite')
    const store = new SqliteStore({ path: fileOf(place) })
    return { store, prune: () => store.prune() }
  },
  async 'ours-sqlite-near'(place) {
    const { SqliteStore } = await import('@session-stores/sqlite')
    return { store: new SqliteStore({ path: fileOf(place), ...NEAR }) }
  },
  async 'ours-sqlite-user'(place) {
    const { SqliteStore } = await import('@session-stores/sqlite')
    return { store: new SqliteStore({ path: fileOf(place), user }) }
  },
  async 'ours-sqlite-sealed'(place) {
    const { SqliteStore } = await import('@session-stores/sqlite')
    return { store: new SqliteStore({ path: fileOf(place), seal: SEAL }) }
  },
  'better-sqlite3-session-store': (place) => betterSqlite3(place, 'DELETE', 'FULL'),
  'better-sqlite3-session-store-wal': (place) => betterSqlite3(place, 'WAL', 'NORMAL'),
  async 'connect-sqlite3'({ folder }) {
    const { default: factory } = await import('connect-sqlite3')
    const store = new (factory(session))({ dir: folder, db: 'sessions.db', concurrentDb: true })
    await new Promise<void>((resolve, reject) => {
      store.db.exec('PRAGMA synchronous = NORMAL', (error) => (error ? reject(error) : resolve()))
    })
    return { store }
  },
  async 'connect-session-knex-sqlite'(place) {
    const { ConnectSessionKnexStore } = await import('connect-session-knex')
    const { default: knex } = await import('knex')
    const database = knex({
      client: 'better-sqlite3',
      connection: { filename: fileOf(place) },
      useNullAsDefault: true,
    })
    // The pragmas apply to the only connection of the pool.
    await database.raw('PRAGMA journal_mode = WAL')
    await database.raw('PRAGMA synchronous = NORMAL')
    const store = new ConnectSessionKnexStore({ knex: database })
    await store.ready
    return { store }
  },
  async 'floor-sqlite'(place) {
    const { default: Database } = await import('better-sqlite3')
    const database = new Database(fileOf(place))
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
      CREATE TABLE IF NOT EXISTS floor (id TEXT PRIMARY KEY, data TEXT, deadline INTEGER) WITHOUT ROWID`)
    const read = database.prepare('SELECT data FROM floor WHERE id = ? AND deadline > ?').pluck()
    const write = database.prepare('INSERT OR REPLACE INTO floor VALUES (?, ?, ?)')
    const touch = database.prepare('UPDATE floor SET deadline = ? WHERE id = ?')
    const remove = database.prepare('DELETE FROM floor WHERE id = ?')
    return {
      store: new Floor({
        read: async (id) => read.get(id, Date.now()) as string | undefined,
        write: async (id, data, deadline) => write.run(id, data, deadline),
        touch: async (id, deadline) => touch.run(deadline, id),
        remove: async (id) => remove.run(id),
      }),
    }
  },
}

async function betterSqlite3(place: Place, journal: string, synchronous: string): Promise<Subject> {
  const { default: Database } = await import('better-sqlite3')
  const { default: factory } = await import('better-sqlite3-session-store')
  const client = new Database(fileOf(place))
  // Filling is not measured and would take a minute with an fsync for each session.
  client.exec(`PRAGMA journal_mode = ${journal}; PRAGMA synchronous = OFF`)
  const store = new (factory(session))({ client })
  return {
    store,
    settle: () => void client.exec(`PRAGMA synchronous = ${synchronous}`),
    prune: async () => store.clearExpiredSessions(),
  }
}
