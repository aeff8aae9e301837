import { join } from 'node:path'
import type { Subject } from '@session-stores/conformance'
import { ConnectSessionKnexStore } from 'connect-session-knex'
import knex from 'knex'
import { folderPlace, newSchema, postgres, postgresPlace, withSettings } from '../places.ts'
import { readVersions } from '../versions.ts'

/** Opens the databases of the first and of the second store. */
interface Ground {
  open(i: 0 | 1): knex.Knex
  close(): void | Promise<void>
}

function onSqlite(): Ground {
  const { folder, close } = folderPlace()
  const connection = { filename: join(folder, 'sessions.db') }
  return { open: () => knex({ client: 'better-sqlite3', connection, useNullAsDefault: true }), close }
}

/** Opens a PostgreSQL, because SQLite does not know time zones. */
async function onPostgres(timeZones: readonly [string, string]): Promise<Ground> {
  const { url, direct, name, close } = await postgresPlace()
  await newSchema(direct, name)
  return {
    open(i) {
      const settings = { timezone: timeZones[i], search_path: name }
      return knex({
        client: 'pg',
        connection: { connectionString: withSettings(url, settings) },
        pool: { min: 0, max: 3 },
      })
    },
    close,
  }
}

const subject: Subject = {
  name: 'connect-session-knex',
  versions: readVersions(['connect-session-knex', 'knex', 'better-sqlite3', 'pg'], await postgres()),
  accepts: ['timeZones', 'tables', 'pruneInterval'],
  async make({ timeZones, tables = ['sessions', 'sessions'], pruneInterval = false }) {
    const { open, close } = timeZones ? await onPostgres(timeZones) : onSqlite()
    const clients = [open(0), open(1)] as const
    const store = (i: 0 | 1) =>
      new ConnectSessionKnexStore({
        knex: clients[i],
        tableName: tables[i],
        cleanupInterval: pruneInterval || 0,
        onDbCleanupError() {},
      })
    const first = store(0)
    await first.ready
    const second = store(1)
    await second.ready
    return {
      stores: [first, second],
      corrupt: async (id) =>
        void (await clients[0]('sessions').where({ sid: id }).update({ sess: '{"cookie":' })),
      async stored() {
        const [row] = await clients[0]('sessions').count({ count: '*' })
        return Number(row!.count)
      },
      async dispose() {
        for (const one of [first, second]) {
          one.options.cleanupInterval = 0
          clearTimeout(one.nextDbCleanup)
        }
        for (const client of clients) await client.destroy()
        await close()
      },
    }
  },
}

export default subject
