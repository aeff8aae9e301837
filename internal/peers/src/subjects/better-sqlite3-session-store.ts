import { join } from 'node:path'
import type { Subject } from '@session-stores/conformance'
import Database from 'better-sqlite3'
import sqliteStore from 'better-sqlite3-session-store'
import session from 'express-session'
import { folderPlace } from '../places.ts'
import { readVersions } from '../versions.ts'

const SqliteStore = sqliteStore(session)

const subject: Subject = {
  name: 'better-sqlite3-session-store',
  versions: readVersions(['better-sqlite3-session-store', 'better-sqlite3']),
  make() {
    const { folder, close } = folderPlace()
    const open = () => new Database(join(folder, 'sessions.db'))
    const clients = [open(), open()] as const
    // The timer of `clear: true` cannot be stopped and would keep the process alive.
    const makeStore = (client: Database.Database) => new SqliteStore({ client, expired: { clear: false } })
    return {
      stores: [makeStore(clients[0]), makeStore(clients[1])],
      corrupt: (id) =>
        void clients[0].prepare('UPDATE sessions SET sess = ? WHERE sid = ?').run('{"cookie":', id),
      dispose() {
        for (const client of clients) client.close()
        close()
      },
    }
  },
}

export default subject
