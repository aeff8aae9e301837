import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type FaultyProxy, mongoProcess, type ProcessServer, startProxy } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { MongoStore } from '../src/index.ts'
import { newName, withOption } from './support/servers.ts'

const cookie = { originalMaxAge: HOUR, path: '/' }
/** How long an outage lasts. Milliseconds. */
const OUTAGE = 9000
const MEGABYTE = 1024 * 1024

setFlagsFromString('--expose_gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Returns the memory in use after a collection of garbage, in bytes. */
function measureMemory(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Begins and ends an outage. */
interface Outage {
  begin(server: ProcessServer, proxy: FaultyProxy): unknown
  end(server: ProcessServer, proxy: FaultyProxy): unknown
}

const outages: Record<string, Outage> = {
  'refuses connections': {
    begin(_, proxy) {
      proxy.refuse()
      proxy.cut()
    },
    end: (_, proxy) => proxy.accept(),
  },
  'is silent': { begin: (_, proxy) => proxy.pause(), end: (_, proxy) => proxy.resume() },
  hangs: { begin: (server) => server.pause(), end: (server) => server.resume() },
  'is killed': { begin: (server) => server.kill(), end: (server) => server.start() },
}

describeWith('a store whose server', mongoProcess, (server) => {
  it.each(Object.entries(outages))('%s does not grow, and works soon after', async (_, outage) => {
    const proxy = await startProxy(server)
    after(() => proxy.stop())
    const url = withOption(proxy.through(server.url), 'directConnection=true')
    const store = new MongoStore({ url, database: newName(), pruneInterval: false })
    after(() => store.close())
    await store.set('kept', { cookie, name: 'Ada' } as never)

    await outage.begin(server, proxy)
    const begun = performance.now()
    const attempts = proxy.accepted
    const codes: Record<string, number> = {}
    const countCode = (code: string) => {
      codes[code] = (codes[code] ?? 0) + 1
    }
    const sizes: number[] = []
    // The store gets 2,000 lookups, touches and saves a second.
    let calls = 0
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const passed = performance.now() - begun
        while (calls < passed * 2) {
          const call = [
            () => store.get('kept'),
            () => store.touch(`some-${calls % 1000}`, { cookie } as never),
            () => store.set(`some-${calls % 1000}`, { cookie } as never),
            () => store.set(`new-${calls}`, { cookie } as never),
          ][calls++ % 4]!
          call().then(
            () => countCode('works'),
            (error) => countCode(error.code),
          )
        }
        // By then as many calls end as begin.
        if (passed > 5500 + sizes.length * 1000) sizes.push(measureMemory())
        if (passed < OUTAGE) return
        clearInterval(timer)
        resolve()
      }, 5)
    })
    expect(proxy.accepted - attempts).toBeLessThan((OUTAGE / 1000) * 5)
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(8 * MEGABYTE)
    expect(
      Object.keys(codes).filter((code) => !['TIMEOUT', 'UNAVAILABLE', 'OVERLOADED'].includes(code)),
    ).toEqual([])

    await outage.end(server, proxy)
    const back = performance.now()
    await expect.poll(() => store.get('kept').catch(({ code }) => code)).toMatchObject({ name: 'Ada' })
    expect(performance.now() - back).toBeLessThan(2000)
  })
})
