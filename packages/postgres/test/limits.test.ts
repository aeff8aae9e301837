import { postgresServers } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { PostgresStore, postgresDriver } from '../src/index.ts'
import { newTable, opened } from './support/servers.ts'

/** What a call fails with, and how long it takes, in milliseconds. */
async function failure(call: unknown): Promise<{ code: string; time: number }> {
  const begin = performance.now()
  const error = await Promise.resolve(call).then(
    () => undefined,
    (error) => error,
  )
  return { code: error?.code, time: performance.now() - begin }
}

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('the time limit', start, (server) => {
    const { pool, driverOf } = opened(server)

    async function lock(table: string): Promise<() => Promise<unknown>> {
      const client = await pool.connect()
      after(() => client.release(true))
      await client.query(`BEGIN; LOCK TABLE ${table}`)
      return () => client.query('COMMIT')
    }

    it('is how long a database may take to wake up', async () => {
      const storeOf = (operationTimeout: number) => {
        const options = { operationTimeout, table: newTable(), pruneInterval: false } as const
        const store = new PostgresStore({ url: server.url, ...options })
        after(() => store.close())
        return store
      }
      server.pause()
      try {
        const patient = storeOf(15_000).get('the-id')
        // A store with the default is told why after 3 seconds, before its time is up.
        const { code, time } = await failure(storeOf(5000).get('the-id'))
        expect(code).toBe('UNAVAILABLE')
        expect(time).toBeLessThan(4900)
        server.resume()
        expect(await patient).toBe(null)
      } finally {
        server.resume()
      }
    })

    it('bounds each wait for an answer, and may be set anew', async () => {
      const driver = await driverOf({ pool: undefined, url: server.url } as never)
      await driver.setup(300)
      const unlock = await lock(driver.table)
      for (const call of [() => driver.read(['a']), () => driver.ping(), () => driver.prune(1, 1)]) {
        const { code, time } = await failure(call())
        expect(code).toBe('TIMEOUT')
        expect(time).toBeLessThan(300)
      }
      await driver.setup(60_000)
      const patient = driver.read(['a'])
      const impatient = postgresDriver({ url: server.url, table: driver.table })
      after(() => impatient.close())
      await impatient.setup(1000)
      expect(await failure(impatient.read(['a']))).toMatchObject({ code: 'TIMEOUT' })
      await unlock()
      expect(await patient).toEqual([])
    })

    it('bounds the wait for a connection of the pool and the wait for the answer together', async () => {
      const driver = await driverOf({ pool: undefined, url: server.url } as never)
      await driver.setup(1000)
      const unlock = await lock(driver.table)
      const clock = postgresDriver({ url: server.url, table: driver.table })
      after(() => clock.close())
      await clock.setup(500)
      const first = failure(driver.read(['a']))
      server.pause()
      // It needs a second connection, which the server makes when more than a third of the time is over.
      const second = failure(driver.read(['b']))
      expect(await failure(clock.read(['a']))).toMatchObject({ code: 'TIMEOUT' })
      server.resume()
      for (const { code, time } of [await first, await second]) {
        expect(code).toBe('TIMEOUT')
        expect(time).toBeLessThan(1000)
      }
      await unlock()
    })

    it('leaves a pool that was lent as it is', async () => {
      const driver = await driverOf()
      const unlock = await lock(driver.table)
      await driver.setup(100)
      const call = driver.read(['a'])
      const owned = postgresDriver({ url: server.url, table: driver.table })
      after(() => owned.close())
      await owned.setup(300)
      expect(await failure(owned.read(['a']))).toMatchObject({ code: 'TIMEOUT' })
      await unlock()
      expect(await call).toEqual([])
    })
  })
})
