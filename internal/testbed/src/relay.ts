import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after } from './after.ts'

/** A proxy that may change the replies of a server. */
export interface Relay {
  /** Returns the URL of the server with the port of the relay. */
  through(url: string): string
  /** How many connections clients have made. */
  readonly made: number
  /** Returns what the client gets in place of what the server sent, or `undefined` for nothing. */
  change: (sent: Buffer) => Buffer | undefined
}

/** Starts a relay to the port, which is closed after the test. */
export async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
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
  const own = `${(server.address() as AddressInfo).port}`
  const relay: Relay = {
    through: (url) => Object.assign(new URL(url), { port: own }).href,
    get made() {
      return made
    },
    change: (sent) => sent,
  }
  after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return relay
}
