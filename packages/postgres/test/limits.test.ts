import { postgresServers } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { PostgresStore, postgresDriver } from '../src/index.ts'
import { newTable, toolsFor } from './support/servers.ts'

/** Returns the code with which a call fails, and how long the call takes, in milliseconds. */
async function failureOf(call: unknown): Promise<{ code: string; time: number }> {
  const begin = performance.now()
  const error = await Promise.resolve(call).then(
    () => undefined,
    (error) => error,
  )
  return { code: error?.code, time: performance.now() - begin }
}

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('the time limit', start, (server) => {
    const { driverOf, begin } = toolsFor(server)

    const lock = (table: string) => begin(`LOCK TABLE ${table}`)

    it('is as long as a database may take to wake up', async () => {
      const storeOf = (operationTimeout: number) => {
        const options = { operationTimeout, table: newTable(), pruneInterval: false } as const
        const store = new PostgresStore({ url: server.url, ...options })
        after(() => store.close())
        return store
      }
      server.pause()
      try {
        const patient = storeOf(15_000).get('the-id')
        // A store with the default limit learns the reason after 3 seconds, before its time is up.
        const { code, time } = await failureOf(storeOf(5000).get('the-id'))
        expect(code).toBe('UNAVAILABLE')
        expect(time).toBeLessThan(4900)
        server.resume()
        expect(await patient).toBe(null)
      } finally {
        server.resume()
      }
    })

    it('bounds each wait for an answer, and may be changed', async () => {
      const driver = await driverOf({ pool: undefined, url: server.url } as never)
      await driver.setup(300)
      const unlock = await lock(driver.table)
      for (const call of [() => driver.read(['a']), () => driver.ping(), () => driver.prune(1, 1)]) {
        const { code, time } = await failureOf(call())
        expect(code).toBe('TIMEOUT')
        expect(time).toBeLessThan(300)
      }
      await driver.setup(60_000)
      const patient = driver.read(['a'])
      const impatient = postgresDriver({ url: server.url, table: driver.table })
      after(() => impatient.close())
      await impatient.setup(1000)
      expect(await failureOf(impatient.read(['a']))).toMatchObject({ code: 'TIMEOUT' })
      await unlock()
      expect(await patient).toEqual([])
    })

    it('bounds the wait for a connection of the pool and the wait for the answer together', async () => {
      const driver = await driverOf({ pool: undefined, url: server.url } as never)
      await driver.setup(1000)
      const unlock = await lock(driver.table)
      const timer = postgresDriver({ url: server.url, table: driver.table })
      after(() => timer.close())
      await timer.setup(500)
      const first = failureOf(driver.read(['a']))
      server.pause()
      // The second call needs another connection, which opens after more than a third of the time.
      const second = failureOf(driver.read(['b']))
      expect(await failureOf(timer.read(['a']))).toMatchObject({ code: 'TIMEOUT' })
      server.resume()
      for (const { code, time } of [await first, await second]) {
        expect(code).toBe('TIMEOUT')
        expect(time).toBeLessThan(1000)
      }
      await unlock()
    })

    it('leaves a lent pool as it is', async () => {
      const driver = await driverOf()
      const unlock = await lock(driver.table)
      await driver.setup(100)
      const call = driver.read(['a'])
      const owned = postgresDriver({ url: server.url, table: driver.table })
      after(() => owned.close())
      await owned.setup(300)
      expect(await failureOf(owned.read(['a']))).toMatchObject({ code: 'TIMEOUT' })
      await unlock()
      expect(await call).toEqual([])
    })
  })
})
