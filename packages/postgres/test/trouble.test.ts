import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { SECRET, type Trouble, troubleSuite } from '@session-stores/driver-suite'
import { mongoProcess, postgresServers, redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { describe, expect, it, vi } from 'vitest'
import { ddl, postgresDriver } from '../src/index.ts'
import { toolsFor } from './support/servers.ts'

const runner = { describe, it }
const PASSWORD = `${SECRET}-password`
const READS = ['get', 'list', 'all', 'length', 'ping'] as const

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith(
    'a server with users',
    () => start({ password: PASSWORD, args: ['-c', 'max_connections=40'] }),
    (server) => {
      const { pool, poolOf } = toolsFor(server)
      const urlOf = (change: (url: URL) => void): string => {
        const url = new URL(server.url)
        change(url)
        return url.href
      }
      const driverOf = (change: (url: URL) => void, table = 'sessions') =>
        postgresDriver({ url: urlOf(change), table })
      const query = (text: string) => pool.query(text)
      const disconnect = (role: string) =>
        pool.query(
          'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid()',
          [role],
        )
      /**
       * Makes a role with the rights that the store needs on a table of its own. Returns the change
       * of the URL.
       */
      async function createRole(name: string): Promise<(url: URL) => void> {
        await query(`CREATE ROLE ${name} LOGIN PASSWORD '${PASSWORD}'; ${ddl({ table: name })};
          GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO ${name}`)
        return (url) => {
          url.username = name
        }
      }
      async function lockTable(table: string): Promise<pg.PoolClient> {
        const client = await pool.connect()
        await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
        return client
      }
      let lock: pg.PoolClient | undefined
      const unlock = async () => {
        await lock?.query('ROLLBACK')
        lock?.release()
      }
      /** A trouble by a setting of a role, for its connections from now on. */
      function settingOf(role: string, setting: string) {
        let pool: pg.Pool
        // A write on a connection whose end the pool has not noticed would fail for another reason.
        const reconnect = async () => {
          await disconnect(role)
          await vi.waitFor(() => expect(pool.totalCount).toBe(0))
        }
        return {
          async driver() {
            pool = poolOf({ connectionString: urlOf(await createRole(role)) })
            return postgresDriver({ pool, table: role })
          },
          async begin() {
            await query(`ALTER ROLE ${role} SET ${setting}`)
            await reconnect()
          },
          async end() {
            await query(`ALTER ROLE ${role} RESET ALL`)
            await reconnect()
          },
        }
      }

      troubleSuite(runner, {
        'a wrong password': {
          code: 'ACCESS_DENIED',
          driver: () => driverOf((url) => (url.password = `${SECRET}-other`)),
        },
        'no password': { code: 'ACCESS_DENIED', driver: () => driverOf((url) => (url.password = '')) },
        'a role that does not exist': {
          code: 'ACCESS_DENIED',
          driver: () => driverOf((url) => (url.username = 'nobody')),
        },
        'a database that does not exist': {
          code: 'UNAVAILABLE',
          driver: () => driverOf((url) => (url.pathname = '/later')),
          end: () => query('CREATE DATABASE later'),
        },
        'a role that may not make the table': {
          code: 'ACCESS_DENIED',
          async driver() {
            await query(
              `REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE maker LOGIN PASSWORD '${PASSWORD}'`,
            )
            return driverOf((url) => (url.username = 'maker'), 'made')
          },
          end: () => query('GRANT CREATE ON SCHEMA public TO maker'),
        },
        'a role without rights on the table': {
          code: 'ACCESS_DENIED',
          driver: async () => driverOf(await createRole('outsider'), 'outsider'),
          begin: () => query('REVOKE ALL ON outsider FROM outsider'),
          end: () => query('GRANT SELECT, INSERT, UPDATE, DELETE ON outsider TO outsider'),
        },
        'a role that may only read': {
          code: 'ACCESS_DENIED',
          driver: async () => driverOf(await createRole('reader'), 'reader'),
          begin: () => query('REVOKE INSERT, UPDATE, DELETE ON reader FROM reader'),
          works: READS,
          end: () => query('GRANT INSERT, UPDATE, DELETE ON reader TO reader'),
        },
        'a role whose connections are used up': {
          code: 'UNAVAILABLE',
          driver: async () => driverOf(await createRole('few'), 'few'),
          async begin() {
            await query('ALTER ROLE few CONNECTION LIMIT 0')
            await disconnect('few')
          },
          end: () => query('ALTER ROLE few CONNECTION LIMIT -1'),
        },
        'transactions that only read': {
          code: 'READ_ONLY',
          ...settingOf('bookworm', 'default_transaction_read_only = on'),
          works: READS,
        },
        'a table without the columns': {
          code: 'BAD_STORAGE',
          async driver() {
            await query('CREATE TABLE others (sid varchar PRIMARY KEY, sess json, expire timestamp(6))')
            return driverOf(() => {}, 'others')
          },
          end: () => query('DROP TABLE others'),
        },
        'a table that is dropped, and that the store may not make': {
          code: 'BAD_STORAGE',
          async driver() {
            await query(ddl({ table: 'dropped' }))
            return postgresDriver({ url: server.url, table: 'dropped', createTable: false })
          },
          begin: () => query('DROP TABLE dropped'),
          end: () => query(ddl({ table: 'dropped' })),
        },
        'a table that is locked for longer than a statement may take': {
          code: 'TIMEOUT',
          driver: () => driverOf((url) => (url.search = 'statement_timeout=100'), 'locked'),
          async begin() {
            lock = await lockTable('locked')
          },
          end: unlock,
        },
        'a table that is locked for longer than a call may take': {
          code: 'TIMEOUT',
          // Long enough that a busy machine makes a connection in 0.6 of it.
          operationTimeout: 500,
          driver: () => driverOf(() => {}, 'held'),
          async begin() {
            lock = await lockTable('held')
          },
          end: unlock,
        },
        'TLS that the server does not speak': {
          code: 'UNAVAILABLE',
          driver: () => driverOf((url) => (url.search = 'sslmode=verify-full')),
        },
        'TLS that the server requires': {
          code: 'ACCESS_DENIED',
          async driver() {
            await createRole('secret')
            const file = join(server.folder, 'data/pg_hba.conf')
            writeFileSync(file, `hostnossl all secret all reject\n${readFileSync(file, 'utf8')}`)
            await query('SELECT pg_reload_conf()')
            return driverOf((url) => (url.username = 'secret'), 'secret')
          },
        },
      })
    },
  )

  describeWith(
    'a server that takes few connections',
    () => start({ args: ['-c', 'max_connections=6'] }),
    ({ url }) => {
      const clients: pg.Client[] = []
      troubleSuite(runner, {
        'no connection is left': {
          code: 'UNAVAILABLE',
          async driver() {
            for (let i = 0; i < 6; i++) {
              const client = new pg.Client({ connectionString: url })
              clients.push(client)
              await client.connect()
            }
            return postgresDriver({ url })
          },
          end: () => Promise.all(clients.map((client) => client.end())),
        },
      })
    },
  )

  describeWith('a copy of another server', start, (server) => {
    troubleSuite(runner, {
      'a standby, until it is promoted': {
        code: 'READ_ONLY',
        driver: () => postgresDriver({ url: server.url }),
        async begin() {
          await server.kill()
          appendFileSync(join(server.folder, 'data/standby.signal'), '')
          await server.start()
        },
        works: READS,
        async end() {
          const client = new pg.Client({ connectionString: server.url })
          await client.connect()
          await client.query('SELECT pg_promote()')
          await client.end()
        },
      },
    })
  })
})

describe('where there is no PostgreSQL', () => {
  const trouble = (address: string): Trouble => ({
    code: 'UNAVAILABLE',
    driver: () => postgresDriver({ url: `postgres://me:${PASSWORD}@${address}/app` }),
  })
  troubleSuite(runner, {
    'a port that nobody listens on': trouble('127.0.0.1:9'),
    'a host without an address': trouble('nobody.invalid'),
  })
  describeWith('but a web server', startWebServer, ({ port }) => {
    troubleSuite(runner, { HTTP: trouble(`127.0.0.1:${port}`) })
  })
  describeWith('but Redis', redisProcess, ({ port }) => {
    troubleSuite(runner, { Redis: trouble(`127.0.0.1:${port}`) })
  })
  describeWith('but MongoDB', mongoProcess, ({ port }) => {
    troubleSuite(runner, { MongoDB: trouble(`127.0.0.1:${port}`) })
  })
})

async function startWebServer(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((_, response) => response.end('Hello!')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: async () => void server.close() }
}
