import { join } from 'node:path'
import type { Subject } from '@session-stores/conformance'
import { ConnectSessionKnexStore } from 'connect-session-knex'
import knex from 'knex'
import { folderPlace } from '../places.ts'
import { versions } from '../versions.ts'

const subject: Subject = {
  name: 'connect-session-knex',
  versions: versions(['connect-session-knex', 'knex', 'better-sqlite3']),
  async make() {
    const { folder, close } = folderPlace()
    const open = () =>
      knex({
        client: 'better-sqlite3',
        connection: { filename: join(folder, 'sessions.db') },
        useNullAsDefault: true,
      })
    const clients = [open(), open()] as const
    const store = (client: knex.Knex) => new ConnectSessionKnexStore({ knex: client, cleanupInterval: 0 })
    const first = store(clients[0])
    await first.ready
    const second = store(clients[1])
    await second.ready
    return {
      stores: [first, second],
      corrupt: async (id) =>
        void (await clients[0]('sessions').where({ sid: id }).update({ sess: '{"cookie":' })),
      async dispose() {
        for (const client of clients) await client.destroy()
        close()
      },
    }
  },
}

export default subject
