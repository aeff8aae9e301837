import { postgresServers } from '@session-stores/testbed'
import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { type PostgresPool, PostgresStore, postgresDriver } from '../src/index.ts'
import { NOW, session, toolsFor } from './support/servers.ts'

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('batches', start, (server) => {
    const { pool, driverOf } = toolsFor(server)

    /**
     * Returns a pool that collects the deadlocks, after which the driver sends its statement again.
     */
    function watchPool(): { watched: PostgresPool; deadlocks: unknown[] } {
      const deadlocks: unknown[] = []
      const watched: PostgresPool = {
        query: (query) =>
          pool.query(query).catch((error) => {
            if (error.code === '40P01') deadlocks.push(error)
            throw error
          }),
      }
      return { watched, deadlocks }
    }

    it('with common rows never deadlock, whatever else runs', async () => {
      const { watched, deadlocks } = watchPool()
      const { table } = await driverOf({ pool: watched })
      const drivers = [postgresDriver({ pool: watched, table }), postgresDriver({ pool: watched, table })]
      // The limit is long because hundreds of calls wait for a connection.
      await Promise.all(drivers.map((driver) => driver.setup(60_000)))
      const keys = keysOf(40)
      await Promise.all(
        Array.from({ length: 400 }, async (_, i) => {
          const driver = drivers[i % 2]!
          const some = keys.filter((_, k) => (k * 7 + i) % 3)
          const kinds = [
            {},
            { expect: '' },
            { expect: `tag-${i - 1}` },
            { data: null, expiresAt: NOW + (i % 5) },
          ]
          const mixed = some.map((key, k) =>
            session(key, { ...kinds[(k + i) % 4], tag: `tag-${i}`, user: `${i % 3}` }),
          )
          await driver.write(mixed, NOW + (i % 7))
          await driver.touch(
            some.map((key) => ({ key, user: null, expiresAt: NOW + HOUR * (i % 4) })),
            NOW,
          )
          if (i % 5 === 0) await driver.prune(NOW + HOUR, 10)
          if (i % 50 === 0) await driver.clear()
        }),
      )
      expect(deadlocks).toEqual([])
    })

    it('of two stores in opposite order never deadlock', async () => {
      const { watched, deadlocks } = watchPool()
      const { table } = await driverOf({ pool: watched })
      const storeOf = () =>
        new PostgresStore({ pool: watched, table, operationTimeout: 60_000, pruneInterval: false })
      const stores = [storeOf(), storeOf()] as const
      after(() => Promise.all(stores.map((store) => store.close())))
      const cookie = { originalMaxAge: HOUR, path: '/' }
      const ids = keysOf(60)
      for (let round = 0; round < 50; round++) {
        const calls = (store: PostgresStore, some: readonly string[]) => [
          ...some.map((id) => store.set(id, { cookie, round } as never)),
          ...some.map((id) =>
            store.touch(id, { cookie: { originalMaxAge: HOUR + round, path: '/' } } as never),
          ),
        ]
        await Promise.all([...calls(stores[0], ids), ...calls(stores[1], ids.toReversed())])
      }
      expect(deadlocks).toEqual([])
      expect(await stores[0].length()).toBe(ids.length)
    })
  })
})
