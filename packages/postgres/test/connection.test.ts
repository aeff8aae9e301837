import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { type Driver, SessionStoreError } from '@session-stores/core'
import { postgresServers } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { PostgresStore, postgresDriver } from '../src/index.ts'
import { NOW, opened, session } from './support/servers.ts'

/** What it failed with; nothing in it gives a password or a payload away. */
async function failure(work: Promise<unknown> | unknown): Promise<SessionStoreError> {
  const error = await Promise.resolve(work).then(
    () => undefined,
    (error) => error,
  )
  expect(error).toBeInstanceOf(SessionStoreError)
  expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/hunter2|the-payload|the-key/)
  return error
}

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith(
    'connections',
    () => start({ password: 'hunter2' }),
    (server) => {
      const { pool } = opened(server)
      const driverOf = (url: string | URL, table = 'sessions'): Driver => {
        const driver = postgresDriver({ url: String(url), table })
        after(() => driver.close())
        return driver
      }
      function urlWith(change: (url: URL) => void): URL {
        const url = new URL(server.url)
        change(url)
        return url
      }

      it('lets the process end by itself', async () => {
        const args = [join(import.meta.dirname, 'support/process.ts'), server.url, 'by_process']
        const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env: {} })
        expect(JSON.parse(stdout)).toMatchObject({ name: 'Ada' })
        expect(stderr).toBe('')
      })

      it('sessions are read where nothing can be written: READ_ONLY', async () => {
        const writer = driverOf(server.url)
        await writer.setup()
        await writer.write([session('the-key')], NOW)
        const reader = driverOf(
          urlWith((url) => (url.search = 'options=-c default_transaction_read_only=on')),
        )
        await reader.setup()
        expect(await reader.read(['the-key'])).toMatchObject([{ key: 'the-key' }])
        for (const writes of [[session('a')], [session('a'), session('b', { expect: 'tag' })]])
          expect(await failure(reader.write(writes, NOW))).toMatchObject({ code: 'READ_ONLY' })
      })

      it('what PostgreSQL says about rows and parameters is left out of the cause', async () => {
        const driver = driverOf(server.url, 'checked')
        await driver.setup()
        await pool.query(`ALTER TABLE checked ADD CONSTRAINT no CHECK (data <> 'the-payload')`)
        const write = [session('the-key', { data: 'the-payload' })]
        const error = await failure(driver.write(write, NOW))
        expect(error).toMatchObject({ code: 'BAD_STORAGE', cause: { code: '23514' } })
        expect(await failure(driver.write([...write, session('z')], NOW))).toMatchObject({
          code: 'BAD_STORAGE',
        })
      })

      it('a call after close: CLOSED', async () => {
        const driver = driverOf(server.url)
        await driver.setup()
        await Promise.all([driver.close(), driver.close()])
        expect(await failure(driver.ping())).toMatchObject({ code: 'CLOSED' })
      })

      it('every call finds the sessions after a restart, once one attempt to connect succeeded', async () => {
        const store = new PostgresStore({ url: server.url, pruneInterval: false })
        const lent = new PostgresStore({ pool, pruneInterval: false })
        after(() => Promise.all([store.close(), lent.close()]))
        const cookie = { originalMaxAge: 3_600_000, path: '/' }
        // Many connections at once, of which none survives.
        await Promise.all(Array.from({ length: 600 }, (_, i) => store.set(`id-${i}`, { cookie } as never)))
        await lent.get('id-0')
        await server.kill()
        // Its processes answer until they notice that it is gone.
        const down = (call: () => Promise<unknown>) =>
          vi.waitFor(async () => expect(await failure(call())).toMatchObject({ code: 'UNAVAILABLE' }), 10_000)
        await down(() => store.get('id-0'))
        await down(() => lent.set('id-0', { cookie } as never))
        await server.start()
        // For 200 ms after an attempt to connect that failed, no other is made.
        for (const each of [store, lent]) await vi.waitFor(() => each.get('id-0'), 2000)
        const found = Array.from({ length: 600 }, (_, i) => store.get(`id-${i}`))
        expect((await Promise.all(found)).filter((found) => found === null)).toEqual([])
        expect(await lent.length()).toBeGreaterThanOrEqual(600)
      })

      it('a server that is silent is TIMEOUT, and serves again when it answers', async () => {
        const store = new PostgresStore({ url: server.url, operationTimeout: 300, pruneInterval: false })
        after(() => store.close())
        await store.ping()
        await pool.query('SELECT 1')
        const { rows } = await pool.query(
          "SELECT pid FROM pg_stat_activity WHERE application_name = 'session-stores'",
        )
        for (const { pid } of rows) process.kill(pid, 'SIGSTOP')
        expect(await failure(store.get('the-id'))).toMatchObject({ code: 'TIMEOUT' })
        for (const { pid } of rows) process.kill(pid, 'SIGCONT')
        expect(await store.get('the-id')).toBe(null)
      })
    },
  )
})
