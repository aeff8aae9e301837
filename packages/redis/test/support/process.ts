/** A process that a test starts: `node process.ts <job> <URL of the server> [library]`. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import { RedisStore } from '../../src/index.ts'
import { plain } from './session.ts'

const [job, url, library] = process.argv.slice(2) as ['use' | 'use-tls' | 'flood' | 'break', string, string?]

if (job === 'flood') await flood()
else if (job === 'break') await breakConnection()
else await use(job === 'use-tls' ? { rejectUnauthorized: false } : undefined)

/** Uses a store without closing it, and prints the session that it read, or the error's code. */
async function use(tls: ConnectionOptions | undefined): Promise<void> {
  const store = new RedisStore({ url, tls, user: () => 'ada', operationTimeout: 1000 })
  try {
    await store.set('the-id', plain({ name: 'Ada' }))
    await store.length()
    console.log(await store.get('the-id'))
  } catch (error) {
    console.log((error as { code?: string }).code)
  }
  // The channel to the parent would keep the process alive.
  process.disconnect()
}

/** Uses a store on a client of node-redis that has no listener for errors, and breaks its connection. */
async function breakConnection(): Promise<void> {
  const { createClient } = await import(library === 'redis 5' ? 'redis-5' : 'redis')
  const client = createClient({ url })
  await client.connect()
  const store = new RedisStore({ client, operationTimeout: 10_000 })
  await store.set('the-id', plain({ name: 'Ada' }))
  await client.sendCommand(['QUIT'])
  console.log(await store.get('the-id'))
  await store.close()
  await client.close()
  process.disconnect()
}

/**
 * Makes 10,000 calls a second on a server that does not answer. Every second, sends the heap after
 * a garbage collection, in megabytes, and how the calls have ended so far.
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
