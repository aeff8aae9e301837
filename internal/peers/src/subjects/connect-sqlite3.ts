import { type EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import type { Subject } from '@session-stores/conformance'
import connectSqlite3 from 'connect-sqlite3'
import session from 'express-session'
import { folderPlace } from '../places.ts'
import { sqlite3 } from '../sqlite3.ts'
import { readVersions } from '../versions.ts'

const SqliteStore = connectSqlite3(session as never)

const { Database } = await sqlite3()

const subject: Subject = {
  name: 'connect-sqlite3',
  versions: readVersions(['connect-sqlite3']),
  accepts: ['tables'],
  async make({ tables }) {
    const { folder, close } = folderPlace()
    const open = () => new Database(join(folder, 'sessions.db'))
    const databases = [open(), open()] as const
    // Each store creates the table at its start and throws if another one does so at the same time.
    async function store(db: InstanceType<typeof Database>, table?: string): Promise<session.Store> {
      const created = new SqliteStore({ db, table, concurrentDb: true } as never) as session.Store
      await once((created as unknown as { client: EventEmitter }).client, 'connect')
      return created
    }
    return {
      stores: [await store(databases[0], tables?.[0]), await store(databases[1], tables?.[1])],
      corrupt: (id) =>
        new Promise((resolve, reject) => {
          databases[0].run(
            'UPDATE sessions SET sess = ? WHERE sid = ?',
            ['{"cookie":', id],
            (error: Error | null) => (error ? reject(error) : resolve()),
          )
        }),
      async dispose() {
        for (const database of databases) await new Promise((resolve) => database.close(resolve))
        close()
      },
    }
  },
}

export default subject
