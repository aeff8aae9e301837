import { once } from 'node:events'
import { createServer } from 'node:net'

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

/**
 * A port on which nothing listens. It lies below the ports that systems give to outgoing connections: from those, a
 * killed server's port could be taken before it starts again, or a client that retries could connect to itself.
 * Redis Cluster's bus takes the port 10,000 above, so that must be free too. Another process may still take either
 * first: who starts a server must be ready to try again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000)
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port
  }
}
