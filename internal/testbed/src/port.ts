import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** A TCP port of 127.0.0.1 that nobody else takes, even while nothing listens on it. */
export interface Port {
  readonly number: number
  release(): void
}

/**
 * A port on which nothing listens, kept from everybody else who asks here, in any process, until it is released or
 * this process ends: what is killed or cut off gets it again. It lies below the ports that systems give to outgoing
 * connections: from those, it could be taken meanwhile, or a client that retries could connect to itself. Redis
 * Cluster's bus takes the port 10,000 above, so that must be free too. What never asked here may still take either
 * first: who starts a server must be ready to try again.
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
 * This port, unless somebody has reserved it. UDP has ports of its own: that of the same number is the mark. The
 * system gives it to one process at a time, and takes it back however that ends.
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
