import type { Driver } from '@session-stores/core'
import { postgresServers } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { type PostgresPool, PostgresStore } from '../src/index.ts'
import { after, HOUR, NOW, opened, session } from './support.ts'

const COUNT = 100_000
const BATCH = 1000
const ADA = 'a'.repeat(43)
/** More than a statement of the store is ever about. */
const STEP = 1001

/** Each fifth is Ada's; half of them are long over. */
async function fill(driver: Driver): Promise<void> {
  for (let from = 0; from < COUNT; from += BATCH)
    await driver.write(
      Array.from({ length: BATCH }, (_, i) => {
        const key = `key-${String(from + i).padStart(39, '0')}`
        const expiresAt = NOW + ((from + i) % 2 ? 24 : -24) * HOUR
        return session(key, { expect: '', user: (from + i) % 5 ? null : ADA, expiresAt })
      }),
      NOW,
    )
}

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('100,000 sessions', start, (server) => {
    const { pool, driverOf, one } = opened(server)

    it('are counted, listed, pruned and removed in steps that hold up nobody', async () => {
      const sizes: number[] = []
      const watched: PostgresPool = {
        async query(query) {
          const result = await pool.query(query)
          // Several statements, which make the table, have several results.
          if (!Array.isArray(result)) sizes.push(result.rows.length)
          return result
        },
      }
      const driver = await driverOf({ pool: watched })
      const { table } = driver
      const count = () => one(`SELECT count(*)::int FROM ${table}`)
      await fill(driver)
      const store = new PostgresStore({
        pool: watched,
        table,
        operationTimeout: 60_000,
        pruneInterval: false,
      })
      after(() => store.close())

      sizes.length = 0
      expect(await store.length()).toBe(COUNT / 2)
      expect(new Set(await store.ids()).size).toBe(COUNT / 2)
      const ofAda = new Set<string>()
      let next: string | undefined
      do {
        const page = await driver.list({ user: ADA, after: next, limit: BATCH })
        for (const key of page.keys) ofAda.add(key)
        next = page.next
      } while (next !== undefined)
      expect(ofAda.size).toBe(COUNT / 5)
      expect(Math.max(...sizes)).toBeLessThanOrEqual(STEP)

      sizes.length = 0
      expect(await store.prune()).toBe(COUNT / 2)
      expect(await count()).toBe(COUNT / 2)
      expect(sizes.length).toBeGreaterThanOrEqual(COUNT / 2 / STEP)

      sizes.length = 0
      await store.clear()
      expect(await count()).toBe(0)
      expect(sizes.length).toBeGreaterThanOrEqual(COUNT / 2 / STEP)
    })
  })
})
