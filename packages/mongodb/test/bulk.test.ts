import type { Driver } from '@session-stores/core'
import { describeWith } from '@session-stores/testbed/vitest'
import type { Document } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { MongoStore } from '../src/index.ts'
import { after, HOUR, makes, NOW, opener, session } from './support.ts'

const COUNT = 100_000
const BATCH = 1000
const ADA = 'a'.repeat(43)
/** More than a command of the store is ever about. */
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

// MongoDB's own cleaning would come first.
const idle = { args: ['--setParameter', 'ttlMonitorEnabled=false'] }

describe.each(makes)('%s', (_, start) => {
  describeWith(
    '100,000 sessions',
    () => start(idle),
    (server) => {
      const open = opener(server)

      it('are counted, listed, pruned and removed in steps that hold up nobody', async () => {
        const { client, driver, database, collection, documents } = await open({ monitorCommands: true })
        await fill(driver)
        const store = new MongoStore({
          client,
          database,
          collection,
          operationTimeout: 60_000,
          pruneInterval: false,
        })
        after(() => store.close())
        const sizes: Record<string, number[]> = {}
        client.on('commandSucceeded', ({ commandName, reply }) => {
          const { n, cursor } = reply as Document
          const size = commandName === 'delete' ? Number(n) : cursor?.firstBatch.length
          sizes[commandName] = [...(sizes[commandName] ?? []), size]
        })

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

        expect(await store.prune()).toBe(COUNT / 2)
        expect(await documents.countDocuments()).toBe(COUNT / 2)
        await store.clear()
        expect(await documents.countDocuments()).toBe(0)

        const { find, delete: removals, createIndexes, aggregate, ...others } = sizes
        expect(others).toEqual({})
        for (const size of [...find!, ...removals!]) expect(size).toBeLessThanOrEqual(STEP)
        expect(removals!.length).toBeGreaterThanOrEqual(COUNT / STEP)
      })
    },
  )
})
