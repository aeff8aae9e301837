import type { Driver } from '@session-stores/core'
import { ADA, CROWD, listed } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { servers, storeOf } from './support/servers.ts'

const BATCH = 256

/** Returns a row of the crowd. Every fifth one is Ada's. */
const rowAt = (i: number, now: number) => ({
  key: `key-${String(i).padStart(39, '0')}`,
  data: '{"cookie":{"originalMaxAge":null,"path":"/"}}',
  tag: 'tag',
  user: i % 5 ? null : ADA,
  createdAt: now,
  expiresAt: now + 86_400_000,
})

/** Writes the crowd. */
async function fill(driver: Driver): Promise<void> {
  await driver.setup()
  const now = Date.now()
  for (let from = 0; from < CROWD; from += BATCH) {
    const length = Math.min(BATCH, CROWD - from)
    await driver.write(
      Array.from({ length }, (_, i) => rowAt(from + i, now)),
      now,
    )
  }
}

describe.each(servers)('%s', (_, start) => {
  describeWith('100,000 sessions', start, ({ url }) => {
    const observer = new Redis(url)
    afterAll(() => observer.disconnect())

    it('touches that need several scripts all move their deadlines', async () => {
      const driver = redisDriver({ url })
      after(() => driver.close())
      await driver.setup()
      const now = Date.now()
      const rows = Array.from({ length: 1000 }, (_, i) => rowAt(i, now))
      await driver.write(rows, now)
      await observer.config('RESETSTAT')
      const deadline = rows[0]!.expiresAt + 1000
      await driver.touch(
        rows.map(({ key, user, tag }) => ({ key, user, tag, expiresAt: deadline })),
        now,
      )
      const scripts = /^cmdstat_eval(?:sha)?:calls=(\d+)/m.exec(await observer.info('commandstats'))?.[1]
      expect(Number(scripts)).toBeGreaterThan(1)
      const found = await driver.read(rows.map(({ key }) => key))
      expect(new Set(found.map(({ expiresAt }) => expiresAt))).toEqual(new Set([deadline]))
      expect(found).toHaveLength(rows.length)
      await driver.clear()
    })

    it('are counted, listed, pruned and removed in small steps', async () => {
      const driver = redisDriver({ url })
      after(() => driver.close())
      await fill(driver)
      const store = storeOf({ url, operationTimeout: 60_000 })
      await observer.config('RESETSTAT')

      expect(await store.length()).toBe(CROWD)
      expect(new Set(await store.ids()).size).toBe(CROWD)
      expect(new Set(await listed(driver, BATCH, ADA)).size).toBe(CROWD / 5)
      expect(await store.prune()).toBe(0)
      await store.clear()
      expect(await observer.dbsize()).toBe(0)

      const stats = (await observer.info('commandstats')).matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)
      const { scan, mget, zscan, evalsha, unlink, ...others } = Object.fromEntries(
        [...stats].map(([, name, calls]) => [name, Number(calls)]),
      )
      // There are three walks over all keys. A step of a walk is about a thousand keys at most.
      expect(scan).toBeGreaterThan((3 * CROWD) / 1000)
      for (const calls of [mget, evalsha, unlink]) expect(calls).toBeGreaterThan(CROWD / 1000)
      expect(zscan).toBeGreaterThan(CROWD / 5 / 1000)
      for (const unbounded of ['keys', 'del', 'flushdb', 'zrange', 'zrem'])
        expect(others).not.toHaveProperty(unbounded)
    })
  })
})
