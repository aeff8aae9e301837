import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Browser } from '@session-stores/testbed/browser'
import { after } from '@session-stores/testbed/vitest'
import type { Request } from 'express'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { WebSocket, WebSocketServer } from 'ws'
import { type AppSite, promised } from './app.ts'

/**
 * What a client asks of its handshake's session: to reload it, to change and save it, or to show
 * it.
 */
interface Order {
  reload?: boolean
  save?: Record<string, unknown>
}

interface Answer {
  /** The data of the session, as far as this connection knows it. */
  data?: Record<string, unknown>
  error?: string
}

type Ask = (order?: Order) => Promise<Answer>

export interface Transport {
  readonly name: string
  /** Answers connections to the site in addition to its requests. */
  serve(site: AppSite): void
  /** Connects with the cookies of the browser. */
  connect(site: AppSite, browser: Browser): Promise<Ask>
}

async function obey(request: IncomingMessage, { reload, save }: Order): Promise<Answer> {
  const req = request as Request
  try {
    if (reload) await promised((callback) => req.session.reload(callback))
    if (save) {
      Object.assign(req.session, save)
      await promised((callback) => req.session.save(callback))
    }
    const { cookie, ...data } = req.session
    return { data }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return { error: code ?? message }
  }
}

const ws: Transport = {
  name: 'ws',
  serve({ server, sessions }) {
    const sockets = new WebSocketServer({ noServer: true })
    server.on('upgrade', (req, connection, head) => {
      // As in the example of ws, there is no response.
      sessions(req as Request, {} as never, () => {
        sockets.handleUpgrade(req, connection, head, (socket) => {
          socket.on('message', async (text) => {
            const { id, order } = JSON.parse(String(text))
            socket.send(JSON.stringify({ id, answer: await obey(req, order) }))
          })
        })
      })
    })
  },
  async connect({ origin }, browser) {
    const socket = new WebSocket(origin, { headers: { cookie: browser.cookieFor(origin) } })
    after(() => socket.terminate())
    await once(socket, 'open')
    const waiting = new Map<number, (answer: Answer) => void>()
    socket.on('message', (text) => {
      const { id, answer } = JSON.parse(String(text))
      waiting.get(id)!(answer)
    })
    let orders = 0
    return (order = {}) =>
      new Promise((resolve) => {
        waiting.set(++orders, resolve)
        socket.send(JSON.stringify({ id: orders, order }))
      })
  },
}

const socketIo = (...transports: ('polling' | 'websocket')[]): Transport => ({
  name: `Socket.IO by ${transports.join(' and ')}`,
  serve({ server, sessions }) {
    const sockets = new Server(server)
    after(() => sockets.close())
    sockets.engine.use(sessions)
    sockets.on('connection', (socket) => {
      socket.on('order', async (order: Order, answer: (answer: Answer) => void) => {
        answer(await obey(socket.request, order))
      })
    })
  },
  async connect({ origin }, browser) {
    const extraHeaders = { cookie: browser.cookieFor(origin) }
    const socket = io(origin, { transports, extraHeaders, forceNew: true, reconnection: false })
    after(() => socket.disconnect())
    const connected = Promise.withResolvers<void>()
    socket.once('connect', connected.resolve).once('connect_error', connected.reject)
    await connected.promise
    return (order = {}) => socket.emitWithAck('order', order)
  },
})

export const transports: Transport[] = [
  ws,
  socketIo('websocket'),
  socketIo('polling'),
  socketIo('polling', 'websocket'),
]
