import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { reservePort } from '@session-stores/testbed'

/**
 * A port that leads to a shared server. The link can be cut or frozen without affecting the server.
 */
export interface Link {
  readonly port: number
  /** Refuses new connections and closes open ones. Returns a function that restores the link. */
  cut(): Promise<() => Promise<void>>
  /** Keeps connections open and forwards nothing. Returns a function that resumes the link. */
  freeze(): () => void
  close(): Promise<void>
}

export async function openLink(target: number): Promise<Link> {
  const pairs = new Map<Socket, Socket>()
  let frozen = false
  const applyState = (socket: Socket): void => void (frozen ? socket.pause() : socket.resume())
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
      applyState(from)
    }
  })
  // The port stays reserved while the link is cut, because the restored link needs it again.
  const port = await reservePort()
  let isOver = false
  const listen = async (): Promise<void> => {
    // A rule that was given up may restore its link after the link was closed.
    if (isOver) return
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
    for (const sockets of pairs) for (const socket of sockets) applyState(socket)
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
      isOver = true
      await close()
      port.release()
    },
  }
}
