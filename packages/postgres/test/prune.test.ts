import { postgresServers } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import type { PostgresPool } from '../src/index.ts'
import { NOW, session, toolsFor } from './support/servers.ts'

const MINUTE = 60_000

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('prune', start, (server) => {
    const { pool, driverOf, one, clock } = toolsFor(server)

    it('removes no live session for a process whose clock is a day ahead', async () => {
      const driver = await driverOf()
      await driver.write([session('live'), session('over', { expiresAt: NOW - HOUR })], NOW - 2 * HOUR)
      expect(await driver.prune(NOW + 24 * HOUR, 10)).toBe(1)
      expect(await driver.count(NOW)).toBe(1)
    })

    it('removes a row that expired within the current minute', async () => {
      const driver = await driverOf()
      const now = Math.floor(await clock())
      await driver.write([session('a', { expiresAt: now - 1 })], now - HOUR)
      // The minute may have ended meanwhile, which is rare and only makes the removal easier.
      expect(await driver.prune(now + MINUTE, 10)).toBe(1)
    })

    it('ends where more rows than its limit expire later in this minute or were touched', async () => {
      let queries = 0
      const watched: PostgresPool = {
        query(query) {
          if (++queries > 50) throw new Error('prune does not end')
          return pool.query(query)
        },
      }
      const driver = await driverOf({ pool: watched })
      const now = Math.floor(await clock())
      const begin = now - (now % MINUTE)
      const keys = ['a', 'b', 'c', 'd', 'e', 'f']
      await driver.write(
        keys.map((key) => session(key, { expiresAt: begin + MINUTE - 1 })),
        now - HOUR,
      )
      const touches = ['d', 'e', 'f'].map((key) => ({ key, user: null, expiresAt: now + HOUR }))
      await driver.touch(touches, now - HOUR)
      await driver.write([session('g', { expiresAt: begin - 1 })], now - HOUR)
      // If the minute ended meanwhile, its rows have expired, too.
      expect(await driver.prune(begin + 2 * MINUTE, 2)).toBeGreaterThanOrEqual(1)
      expect(await one(`SELECT count(*)::int FROM ${driver.table} WHERE key = 'g'`)).toBe(0)
      expect(await driver.count(now + 2 * MINUTE)).toBe(3)
    })
  })
})
