import { mongoReplicaSet } from '@session-stores/testbed'
import { ADA, CROWD, fillCrowd, listed } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import type { Document } from 'mongodb'
import { expect, it } from 'vitest'
import { MongoStore } from '../src/index.ts'
import { NOW, openerFor } from './support/servers.ts'

/** The most documents that a command of the store is about. */
const STEP = 1001

// Otherwise MongoDB itself would remove documents first.
const withoutTtlMonitor = { args: ['--setParameter', 'ttlMonitorEnabled=false'] }

describeWith(
  '100,000 sessions in a replica set',
  () => mongoReplicaSet(withoutTtlMonitor),
  (server) => {
    const open = openerFor(server)

    it('are counted, listed, pruned and removed in small steps', async () => {
      const { client, driver, database, collection, documents } = await open({ monitorCommands: true })
      await fillCrowd(driver, NOW)
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

      expect(await store.length()).toBe(CROWD / 2)
      expect(new Set(await store.ids()).size).toBe(CROWD / 2)
      expect(new Set(await listed(driver, 1000, ADA)).size).toBe(CROWD / 5)

      expect(await store.prune()).toBe(CROWD / 2)
      expect(await documents.countDocuments()).toBe(CROWD / 2)
      await store.clear()
      expect(await documents.countDocuments()).toBe(0)

      const { find, delete: removals, createIndexes, aggregate, hello, ...others } = sizes
      expect(others).toEqual({})
      for (const size of [...find!, ...removals!]) expect(size).toBeLessThanOrEqual(STEP)
      expect(removals!.length).toBeGreaterThanOrEqual(CROWD / STEP)
    }, 240_000)
  },
)
