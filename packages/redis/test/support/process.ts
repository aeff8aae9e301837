/** A process of its own; the tests say by its arguments what it does: a job and the URL of the server. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import { RedisStore } from '../../src/index.ts'
import { plain } from './session.ts'

const [job, url] = process.argv.slice(2) as ['use' | 'use-tls' | 'flood', string]

if (job === 'flood') await flood()
else await use(job === 'use-tls' ? { rejectUnauthorized: false } : undefined)

/** Uses a store, does not close it, and tells what it read or why not. */
async function use(tls: ConnectionOptions | undefined): Promise<void> {
  const store = new RedisStore({ url, tls, user: () => 'ada', operationTimeout: 1000 })
  try {
    await store.set('the-id', plain({ name: 'Ada' }))
    await store.length()
    console.log(await store.get('the-id'))
  } catch (error) {
    console.log((error as { code?: string }).code)
  }
  // The parent's channel would keep it alive.
  process.disconnect()
}

/**
 * 10,000 calls a second on a server that does not answer; every second the heap in megabytes, without garbage, and
 * how the calls ended so far.
 */
async function flood(): Promise<void> {
  const store = new RedisStore({ url, operationTimeout: 500, maxQueue: 1000, pruneInterval: false })
  await store.ping()
  process.send!('ready')
  await new Promise((resolve) => process.once('message', resolve))
  const ended: Record<string, number> = {}
  const end = (error: unknown): void => {
    const code = (error as { code?: string } | null)?.code ?? 'done'
    ended[code] = (ended[code] ?? 0) + 1
  }
  const start = performance.now()
  let made = 0
  for (let second = 1; second <= 6; second++) {
    while (performance.now() - start < second * 1000) {
      for (const due = (performance.now() - start) * 10; made < due; made++) {
        if (made % 2) store.get(`id-${made}`, end)
        else store.set(`id-${made}`, plain({ more: 'x'.repeat(10_000) }), end)
      }
      await pause(1)
    }
    gc!()
    const megabytes = process.memoryUsage().heapUsed / 2 ** 20
    process.send!({ made, ended, megabytes })
  }
  process.exit()
}
