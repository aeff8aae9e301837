import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after } from '@session-stores/testbed/vitest'

/** What stands between a client and a server, and does to their connections what networks and proxies do. */
export interface Relay {
  readonly port: number
  readonly url: string
  /** How many connections were made. */
  readonly made: number
  /** Where new connections lead. */
  target: number
  /** What becomes of what a server sends: what the client gets in its place, or nothing. */
  change: (sent: Buffer) => Buffer | undefined
  /** Closes all connections. */
  cut(): void
}

/** A relay to the port, for one test. */
export async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(relay.target, '127.0.0.1')
    made++
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    near.pipe(far)
    far.on('data', (sent) => {
      const changed = relay.change(sent)
      if (changed) near.write(changed)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  let made = 0
  const own = (server.address() as AddressInfo).port
  const relay: Relay = {
    port: own,
    url: `redis://127.0.0.1:${own}`,
    target: port,
    get made() {
      return made
    },
    change: (sent) => sent,
    cut() {
      for (const socket of sockets) socket.destroy()
    },
  }
  after(() => {
    relay.cut()
    server.close()
  })
  return relay
}
