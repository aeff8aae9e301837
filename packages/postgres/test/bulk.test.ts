import { postgresServers } from '@session-stores/testbed'
import { ADA, CROWD, fillCrowd, listed } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { type PostgresPool, PostgresStore } from '../src/index.ts'
import { NOW, toolsFor } from './support/servers.ts'

/** The most rows that a statement of the store is about. */
const STEP = 1001

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('100,000 sessions', start, (server) => {
    const { pool, driverOf, one } = toolsFor(server)

    it('are counted, listed, pruned and removed in small steps', async () => {
      const sizes: number[] = []
      const watched: PostgresPool = {
        async query(query) {
          const result = await pool.query(query)
          // The statements that make the table are sent together and have several results.
          if (!Array.isArray(result)) sizes.push(result.rows.length)
          return result
        },
      }
      const driver = await driverOf({ pool: watched })
      const { table } = driver
      const count = () => one(`SELECT count(*)::int FROM ${table}`)
      await fillCrowd(driver, NOW)
      const store = new PostgresStore({
        pool: watched,
        table,
        operationTimeout: 60_000,
        pruneInterval: false,
      })
      after(() => store.close())

      sizes.length = 0
      expect(await store.length()).toBe(CROWD / 2)
      expect(new Set(await store.ids()).size).toBe(CROWD / 2)
      expect(new Set(await listed(driver, 1000, ADA)).size).toBe(CROWD / 5)
      expect(Math.max(...sizes)).toBeLessThanOrEqual(STEP)

      sizes.length = 0
      expect(await store.prune()).toBe(CROWD / 2)
      expect(await count()).toBe(CROWD / 2)
      expect(sizes.length).toBeGreaterThanOrEqual(CROWD / 2 / STEP)

      sizes.length = 0
      await store.clear()
      expect(await count()).toBe(0)
      expect(sizes.length).toBeGreaterThanOrEqual(CROWD / 2 / STEP)
    })
  })
})
