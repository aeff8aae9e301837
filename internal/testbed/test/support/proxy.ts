import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Redis, type RedisOptions } from 'ioredis'
import { type FaultyProxy, startProxy } from '../../src/proxy.ts'
import { after } from '../../src/vitest.ts'

/** Starts a proxy, which is stopped after the test. */
export async function proxyTo(...target: Parameters<typeof startProxy>): Promise<FaultyProxy> {
  const proxy = await startProxy(...target)
  after(() => proxy.stop())
  return proxy
}

/** Makes a client that sends only what the test asks for, even when it connects or reconnects. */
export function clientOf(url: string, options: RedisOptions = {}): Redis {
  const quiet = { enableReadyCheck: false, disableClientInfo: true, maxRetriesPerRequest: 0 } as const
  const client = new Redis(url, { ...quiet, ...options })
  client.on('error', () => {})
  after(() => client.disconnect())
  return client
}

/** Opens a plain connection, on which exactly the sent bytes arrive. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  socket.on('error', () => {})
  after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Waits for an event and ignores earlier errors. */
export const waitForEvent = (client: Redis, event: string): Promise<void> =>
  new Promise((resolve) => client.once(event, () => resolve()))

/** Returns everything that arrives until the connection ends. */
export async function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (piece) => {
    text += piece
  })
  await once(socket, 'close')
  return text
}

/** Returns whether the promise is settled within one turn of the event loop. */
export const isSettled = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise<boolean>((resolve) => setImmediate(resolve, false)),
  ])
