import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Driver } from '@session-stores/core'
import { postgresServers } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { NOW, session, toolsFor } from './support/servers.ts'

const nextTurn = () => new Promise(setImmediate)

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('a dead server', start, (server) => {
    const { pool, poolOf, driverOf } = toolsFor(server)

    /**
     * Counts the attempts to connect to the dead server's port. Each connection is closed at once.
     */
    async function countAttempts(): Promise<{ attempts: () => number; stop: () => Promise<unknown> }> {
      let attempts = 0
      const listener = createServer((socket) => {
        attempts++
        socket.on('error', () => {})
        socket.destroy()
      }).listen(server.port, '127.0.0.1')
      await once(listener, 'listening')
      const stop = () => new Promise((resolve) => listener.close(resolve))
      return { attempts: () => attempts, stop }
    }

    /**
     * Returns a driver that knows that its server is dead, and the count of its attempts to
     * connect.
     */
    async function driverOfDead(kind: 'owned' | 'lent') {
      const pool = kind === 'lent' ? poolOf({ max: 8 }) : undefined
      const url = kind === 'owned' ? server.url : undefined
      const driver = await driverOf({ pool, url } as never)
      await server.kill()
      after(() => server.pid ?? server.start())
      const { attempts, stop } = await countAttempts()
      after(stop)
      // The server's processes answer until they notice that it is gone.
      await vi.waitFor(async () => {
        await expect(driver.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
        expect(attempts()).toBeGreaterThan(0)
      })
      return { driver, attempts, stop }
    }

    /**
     * Makes many calls at once, for at least two seconds. Returns how many failed in how many
     * seconds.
     */
    async function callAll(driver: Driver): Promise<{ failed: number; seconds: number }> {
      const begin = performance.now()
      const seconds = () => (performance.now() - begin) / 1000
      let failed = 0
      while (seconds() < 2) {
        const calls = Array.from({ length: 20 }, (_, i) =>
          i % 2 ? driver.read([`key-${i}`]) : driver.write([session(`key-${i}`)], NOW),
        )
        for (const outcome of await Promise.allSettled(calls)) {
          const reason = { code: 'UNAVAILABLE', cause: expect.any(Error) }
          expect(outcome).toMatchObject({ status: 'rejected', reason })
          failed++
        }
        await nextTurn()
      }
      return { failed, seconds: seconds() }
    }

    it.each(['owned', 'lent'] as const)(
      'gets few attempts to connect, and serves again when it is back (%s pool)',
      {
        timeout: 60_000,
      },
      async (kind) => {
        const { driver, attempts, stop } = await driverOfDead(kind)
        const { failed, seconds } = await callAll(driver)
        // The first calls find a pool that does not know yet that the server is dead.
        expect(attempts()).toBeLessThan(20 + 6 * seconds)
        expect(attempts()).toBeGreaterThan(seconds)
        expect(failed).toBeGreaterThan(10 * attempts())
        await stop()
        await server.start()
        const back = performance.now()
        await vi.waitFor(() => driver.ping(), { timeout: 10_000, interval: 10 })
        expect(performance.now() - back).toBeLessThan(2000)
        const calls = Array.from({ length: 100 }, () => driver.read(['key-1']))
        expect(await Promise.all(calls)).toEqual(calls.map(() => []))
      },
    )

    it.each(['owned', 'lent'] as const)(
      'gets one attempt to connect after each pause (%s pool)',
      async (kind) => {
        const { driver, attempts } = await driverOfDead(kind)
        for (let i = 0; i < 3; i++) {
          const before = attempts()
          await vi.waitFor(async () => {
            await Promise.allSettled(Array.from({ length: 50 }, () => driver.read(['a'])))
            expect(attempts()).toBeGreaterThan(before)
          })
          expect(attempts()).toBe(before + 1)
        }
      },
    )

    it('does not stop open connections where only new ones are refused', async () => {
      const role = `role_${process.pid}`
      await pool.query(`CREATE ROLE ${role} LOGIN SUPERUSER`)
      await pool.query(`ALTER ROLE ${role} NOSUPERUSER CONNECTION LIMIT 1`)
      after(() => pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
      const url = new URL(server.url)
      url.username = role
      for (const options of [
        { pool: poolOf({ user: role, connectionString: String(url) }) },
        { pool: undefined, url: String(url) },
      ]) {
        const { table } = await driverOf()
        await pool.query(`GRANT ALL ON ${table} TO ${role}`)
        const driver = await driverOf({ ...options, table } as never)
        const calls = await Promise.allSettled(Array.from({ length: 3 }, () => driver.read(['a'])))
        expect(calls.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
        for (let i = 0; i < 10; i++) expect(await driver.read(['a'])).toEqual([])
        await driver.close()
        if (options.pool)
          await options.pool.query('SELECT pg_terminate_backend(pg_backend_pid())').catch(() => {})
      }
    })
  })
})
