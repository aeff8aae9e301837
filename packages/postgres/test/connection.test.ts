import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { type Driver, SessionStoreError } from '@session-stores/core'
import { postgresServers, sendSignal } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { PostgresStore, postgresDriver } from '../src/index.ts'
import { NOW, session, toolsFor } from './support/servers.ts'

/**
 * Returns the error of a call that must fail, and checks that it shows no password and no payload.
 */
async function failureOf(work: Promise<unknown> | unknown): Promise<SessionStoreError> {
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
      const { pool } = toolsFor(server)
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

      it('do not keep the process alive', async () => {
        const args = [join(import.meta.dirname, 'support/process.ts'), server.url, 'by_process']
        const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env: {} })
        expect(JSON.parse(stdout)).toMatchObject({ name: 'Ada' })
        expect(stderr).toBe('')
      })

      it('that may only read serve lookups, and writes fail with READ_ONLY', async () => {
        const writer = driverOf(server.url)
        await writer.setup()
        await writer.write([session('the-key')], NOW)
        const reader = driverOf(
          urlWith((url) => (url.search = 'options=-c default_transaction_read_only=on')),
        )
        await reader.setup()
        expect(await reader.read(['the-key'])).toMatchObject([{ key: 'the-key' }])
        for (const writes of [[session('a')], [session('a'), session('b', { expect: 'tag' })]])
          expect(await failureOf(reader.write(writes, NOW))).toMatchObject({ code: 'READ_ONLY' })
      })

      it('leave out of the cause what PostgreSQL says about rows and parameters', async () => {
        const driver = driverOf(server.url, 'checked')
        await driver.setup()
        await pool.query(`ALTER TABLE checked ADD CONSTRAINT no CHECK (data <> 'the-payload')`)
        const write = [session('the-key', { data: 'the-payload' })]
        const error = await failureOf(driver.write(write, NOW))
        expect(error).toMatchObject({ code: 'BAD_STORAGE', cause: { code: '23514' } })
        expect(await failureOf(driver.write([...write, session('z')], NOW))).toMatchObject({
          code: 'BAD_STORAGE',
        })
      })

      it('serve no call after close: CLOSED', async () => {
        const driver = driverOf(server.url)
        await driver.setup()
        await Promise.all([driver.close(), driver.close()])
        expect(await failureOf(driver.ping())).toMatchObject({ code: 'CLOSED' })
      })

      it('serve every call after a restart, once one attempt to connect has succeeded', async () => {
        const store = new PostgresStore({ url: server.url, pruneInterval: false })
        const lent = new PostgresStore({ pool, pruneInterval: false })
        after(() => Promise.all([store.close(), lent.close()]))
        const cookie = { originalMaxAge: 3_600_000, path: '/' }
        // Opens many connections at once, none of which survives.
        await Promise.all(Array.from({ length: 600 }, (_, i) => store.set(`id-${i}`, { cookie } as never)))
        await lent.get('id-0')
        await server.kill()
        // The server's processes answer until they notice that the server is gone.
        const down = (call: () => Promise<unknown>) =>
          vi.waitFor(
            async () => expect(await failureOf(call())).toMatchObject({ code: 'UNAVAILABLE' }),
            10_000,
          )
        await down(() => store.get('id-0'))
        await down(() => lent.set('id-0', { cookie } as never))
        await server.start()
        // No attempt to connect is made for 200 ms after one that failed.
        for (const each of [store, lent]) await vi.waitFor(() => each.get('id-0'), 2000)
        const found = Array.from({ length: 600 }, (_, i) => store.get(`id-${i}`))
        expect((await Promise.all(found)).filter((found) => found === null)).toEqual([])
        expect(await lent.length()).toBeGreaterThanOrEqual(600)
      })

      it('fail with TIMEOUT while the server is silent, and serve when it answers again', async () => {
        const store = new PostgresStore({ url: server.url, operationTimeout: 300, pruneInterval: false })
        after(() => store.close())
        await store.ping()
        await pool.query('SELECT 1')
        const { rows } = await pool.query(
          "SELECT pid FROM pg_stat_activity WHERE application_name = 'session-stores'",
        )
        const pids = rows.map(({ pid }) => pid)
        try {
          sendSignal(pids, 'SIGSTOP')
          expect(await failureOf(store.get('the-id'))).toMatchObject({ code: 'TIMEOUT' })
        } finally {
          sendSignal(pids, 'SIGCONT')
        }
        expect(await store.get('the-id')).toBe(null)
      })
    },
  )
})
