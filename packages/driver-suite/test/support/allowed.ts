import { setImmediate as turn } from 'node:timers/promises'
import type { Driver, Row } from '@session-stores/core'
import { DAY } from '../../src/common.ts'
import { listKeys, type Mutant } from '../mutants/contract/helpers.ts'

/** Drivers that use what the contract leaves open. Every rule must pass them. */

/**
 * Rows expire by the clock of the machine, as in Redis: each lives for the time from `now` to its
 * deadline.
 */
function expireByMachineClock(): Mutant {
  const ends = new WeakMap<Driver, Map<string, number>>()
  return (driver) => {
    const lives = ends.get(driver) ?? new Map<string, number>()
    ends.set(driver, lives)
    const alive = ({ key }: { key: string }) => (lives.get(key) ?? 0) > Date.now()
    const remove = (key: string) =>
      driver.write([{ key, data: null, tag: 'x', user: null, createdAt: 0, expiresAt: 0 }], 1)
    async function sweep(): Promise<void> {
      for (const key of await listKeys(driver)) if (!alive({ key })) await remove(key)
    }
    return {
      async read(keys) {
        return (await driver.read(keys)).filter(alive)
      },
      async write(writes, now) {
        for (const { key } of writes) if (!alive({ key })) remove(key)
        const before = new Map(
          (driver.read(writes.map(({ key }) => key)) as Row[]).map((row) => [row.key, row.tag]),
        )
        const landed = driver.write(writes, now) as string[]
        for (const { key, tag, expiresAt } of driver.read(landed) as Row[])
          if (tag !== before.get(key)) lives.set(key, Date.now() + expiresAt - now)
        return landed
      },
      async touch(touches, now) {
        driver.touch(touches, now)
        for (const { key, expiresAt } of touches) {
          const [row] = driver.read([key]) as Row[]
          if (row?.data != null && row.expiresAt === expiresAt) lives.set(key, Date.now() + expiresAt - now)
        }
      },
      async count(now) {
        await sweep()
        return driver.count(now)
      },
      prune: () => 0,
    }
  }
}

export const allowed: Record<string, Mutant> = {
  'rows that expire by themselves': expireByMachineClock(),
  'a tombstone that ends at once removes its row': (driver) => ({
    async read(keys) {
      return (await driver.read(keys)).filter((row) => row.data !== null || row.expiresAt > row.createdAt)
    },
  }),
  'answers that come later and in another order': (driver) => ({
    async read(keys) {
      await turn()
      return [...(await driver.read(keys))].reverse()
    },
    async write(writes, now) {
      await turn()
      const keys = await driver.write(writes, now)
      await turn()
      return keys.toReversed()
    },
    async touch(touches, now) {
      await turn()
      await driver.touch(touches, now)
    },
    async list(query) {
      const page = await driver.list(query)
      await turn()
      return page
    },
  }),
  'touches of a batch that share their tags': (driver) => ({
    touch(touches, now) {
      const tags = new Set(touches.map(({ tag }) => tag).filter((tag) => tag !== undefined))
      const rows = driver.read(touches.map(({ key }) => key)) as Row[]
      const current = new Map(rows.map(({ key, tag }) => [key, tag]))
      const moved = touches
        .filter(({ key, tag }) => tag === undefined || tags.has(current.get(key)!))
        .map((touch) => ({ ...touch, tag: undefined }))
      return driver.touch(moved, now)
    },
  }),
  'lists that name sessions of all users, with every other page empty': (driver) => ({
    async list({ after, limit }) {
      if (after === undefined || after.startsWith('full')) return driverPage(after?.slice('full '.length))
      return { keys: [], next: `full ${after.slice('empty '.length)}` }

      async function driverPage(from: string | undefined) {
        const { keys, next } = await driver.list({ after: from, limit })
        return { keys, next: next && `empty ${next}` }
      }
    },
  }),
  'a prune that keeps rows for some days': (driver) => ({
    prune: (before, limit) => driver.prune(before - 7 * DAY, limit),
  }),
}
