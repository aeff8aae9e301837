import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { reservePort } from '@session-stores/testbed'

/** A port that leads to a server, and can be cut or frozen without touching the server, which others share. */
export interface Link {
  readonly port: number
  /** Connections are refused, and open ones are closed; returns what ends that. */
  cut(): Promise<() => Promise<void>>
  /** Connections stay open, and nothing comes through; returns what ends that. */
  freeze(): () => void
  close(): Promise<void>
}

export async function link(target: number): Promise<Link> {
  const pairs = new Map<Socket, Socket>()
  let frozen = false
  const flow = (socket: Socket): void => void (frozen ? socket.pause() : socket.resume())
  const server: Server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    pairs.set(near, far)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true)
      from.on('data', (chunk) => to.write(chunk))
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        to.destroy()
        pairs.delete(near)
      })
      flow(from)
    }
  })
  // Kept while the link is cut: it will be wanted again.
  const port = await reservePort()
  let over = false
  const listen = async (): Promise<void> => {
    // Whoever had it cut and was given up may come late.
    if (over) return
    server.listen(port.number, '127.0.0.1')
    await once(server, 'listening')
  }
  const close = async (): Promise<void> => {
    const closed = server.listening && once(server, 'close')
    server.close()
    for (const sockets of pairs) for (const socket of sockets) socket.destroy()
    await closed
  }
  await listen()
  const freeze = (on: boolean): void => {
    frozen = on
    for (const sockets of pairs) for (const socket of sockets) flow(socket)
  }
  return {
    port: port.number,
    async cut() {
      await close()
      return listen
    },
    freeze() {
      freeze(true)
      return () => freeze(false)
    },
    async close() {
      over = true
      await close()
      port.release()
    },
  }
}
