import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from '@session-stores/testbed/vitest'

export interface Site {
  readonly origin: string
  readonly server: Server
  /** Answers requests from now on. Two sites can know each other's origin before either answers. */
  serve(listener: RequestListener): void
}

/** Opens a server on a free port. It is closed after the test. */
export async function openSite(): Promise<Site> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    server,
    serve: (listener) => void server.on('request', listener),
  }
}
