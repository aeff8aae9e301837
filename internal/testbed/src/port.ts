import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** A TCP port of 127.0.0.1 that no other reserver gets, even while nothing listens on it. */
export interface Port {
  readonly number: number
  release(): void
}

/**
 * Reserves a port that nobody listens on, across all processes that use this function, until it is
 * released or this process ends. So a restarted server gets the same port again.
 *
 * The port is below the range of outgoing connections: from that range, the system could assign the
 * port in the meantime, or a retrying client could connect to itself. The port 10,000 above is free
 * as well because the bus of Redis Cluster uses it. A program that does not reserve its ports may
 * still take one of them first, so the caller that starts a server must be ready to retry.
 */
export async function reservePort(): Promise<Port> {
  for (;;) {
    const port = await reserve(10_000 + Math.floor(Math.random() * 10_000))
    if (!port) continue
    if ((await isFree(port.number)) && (await isFree(port.number + 10_000))) return port
    port.release()
  }
}

/**
 * Reserves this port. Returns `undefined` if it is already reserved. The mark is a bound UDP port
 * of the same number, because the system gives it to one process at a time and reclaims it however
 * that process ends.
 */
export async function reserve(number: number): Promise<Port | undefined> {
  const mark = createSocket('udp4')
  let held = true
  const release = (): void => {
    if (held) mark.close()
    held = false
  }
  try {
    mark.bind({ port: number, address: '127.0.0.1', exclusive: true })
    await once(mark, 'listening')
    mark.unref()
    return { number, release }
  } catch {
    release()
    return undefined
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
