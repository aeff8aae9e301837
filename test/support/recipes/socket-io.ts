import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { SqliteStore } from '@session-stores/sqlite'
import { Server as SocketServer } from 'socket.io'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from '../pages.ts'
import { type Server, start } from '../program.ts'
import { damageSessions } from './damage.ts'

const HOUR = 3_600_000
/** How long a condition may take on a busy machine, in milliseconds. */
const PATIENT = { timeout: 20_000 }
const user = { name: 'ada', password: 'correct horse' }
const ended = ['io server disconnect']

/** Declares the tests of docs/recipes/socket.io.md. */
export function testSocketIo({ folder }: Page): void {
  let server: Server
  /** Another process on the same database. It checks its sockets all the time. */
  let other: Server
  beforeAll(async () => {
    server = await start(folder, { env: { SESSION_CHECK: String(HOUR) } })
    other = await start(folder, { env: { SESSION_CHECK: '20' } })
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await other?.[Symbol.asyncDispose]()
  })

  test('disconnects all sockets after clear()', async () => {
    const file = pathToFileURL(join(folder, 'disconnect-with-session.mjs')).href
    const { disconnectWithSession } = await import(/* @vite-ignore */ file)
    const store = new SessionStore(memoryDriver())
    const http = createServer().listen(0)
    const sockets = new SocketServer(http)
    const watch = disconnectWithSession(sockets, store, HOUR)
    sockets.on('connection', (socket) => watch(socket, store.handle(socket.id)))
    const { port } = http.address() as AddressInfo
    const clients = [1, 2].map(() => io(`http://localhost:${port}`, { forceNew: true, reconnection: false }))
    await Promise.all(clients.map((client) => once(client as never, 'connect')))
    await expect.poll(() => sockets.of('/').adapter.rooms.size, PATIENT).toBe(4)
    const closed = Promise.all(clients.map((client) => once(client as never, 'disconnect')))
    await store.clear()
    expect((await closed).map(([reason]) => reason)).toEqual([...ended, ...ended])
    await sockets.close()
  })

  describe.each(['websocket', 'polling'])('by %s', (transport) => {
    /** Opens a socket with the cookie of the browser. Rejects where it is refused. */
    async function connect(at: Server, headers: Record<string, string> = {}): Promise<Socket> {
      const own = { cookie: server.cookie, ...(transport === 'websocket' && { origin: at.origin }) }
      const extraHeaders = { ...own, ...headers }
      const socket = io(at.origin, {
        transports: [transport],
        extraHeaders,
        forceNew: true,
        reconnection: false,
      })
      const opened = Promise.withResolvers<void>()
      socket.once('connect', opened.resolve).once('connect_error', opened.reject)
      await opened.promise.finally(() => !socket.connected && socket.close())
      return socket
    }
    const closing = (socket: Socket) => once(socket as never, 'disconnect').then(([reason]) => [reason])
    const say = (socket: Socket, text: string): Promise<string> => socket.emitWithAck('say', text)

    test('refuses a socket without a session', async () => {
      await expect(connect(server, { cookie: '' })).rejects.toThrow('sign in first')
      await expect(connect(server, { cookie: 'sid=s%3Aabc.def' })).rejects.toThrow('sign in first')
    })

    test('refuses pages of other origins', async () => {
      await server.ask('/sign-in', user)
      for (const origin of ['https://evil.example', other.origin, 'null', `${server.origin}.evil.example`])
        await expect(connect(server, { origin }), origin).rejects.toThrow(/^(websocket|xhr poll) error$/)
    })

    test('reads the session for each packet', async () => {
      await server.ask('/sign-in', user)
      const socket = await connect(server)
      expect(await say(socket, 'hello')).toBe('ada in lobby: hello')
      expect((await server.ask('/room', { room: 'kitchen' })).status).toBe(204)
      expect(await say(socket, 'hello')).toBe('ada in kitchen: hello')
      socket.close()
    })

    test(`${transport === 'polling' ? 'moves' : 'does not move'} the deadline of the session`, async () => {
      const store = new SqliteStore({ path: join(folder, 'sessions.db'), pruneInterval: false })
      await server.ask('/sign-in', user)
      const id = decodeURIComponent(server.cookie).replace(/^sid=s:(.+?)\..*$/, '$1')
      const deadline = async () => (await store.peek(store.handle(id)))!.expiresAt
      const before = await deadline()
      const socket = await connect(server)
      const after = async () => {
        await say(socket, 'hello')
        return deadline()
      }
      if (transport === 'polling') await expect.poll(after, PATIENT).toBeGreaterThan(before)
      else for (let packet = 0; packet < 5; packet++) expect(await after()).toBe(before)
      socket.close()
      await store.close()
    })

    test.each(['/sign-out', '/sign-in'])('disconnects at once when %s ends the session', async (path) => {
      await server.ask('/sign-in', user)
      const closed = closing(await connect(server))
      // Only the channel can do it: the next check is an hour away.
      await server.ask(path, user)
      expect(await closed).toEqual(ended)
    })

    test('disconnects with the next check after another process ended the session', async () => {
      await server.ask('/sign-in', user)
      const closed = closing(await connect(other))
      await server.ask('/sign-out', {})
      expect(await closed).toEqual(ended)
    })

    test('tells an error of the store from a session that has ended', async () => {
      await server.ask('/sign-in', user)
      const socket = await connect(server)
      const repair = damageSessions(folder)
      const told = once(socket as never, transport === 'websocket' ? 'refused' : 'disconnect')
      socket.emit('say', 'hello')
      expect((await told)[0]).toBe(transport === 'websocket' ? 'try again later' : 'transport error')
      repair()
      if (transport === 'websocket') expect(await say(socket, 'hello')).toBe('ada in lobby: hello')
      socket.close()
    })

    test('answers no packet of a session that another process ended, before the next check', async () => {
      await server.ask('/sign-in', user)
      const socket = await connect(server)
      await other.ask('/sign-out', {}, { cookie: server.cookie })
      expect(socket.connected).toBe(true)
      const closed = closing(socket)
      await expect(say(socket, 'hello')).rejects.toThrow('socket has been disconnected')
      expect(await closed).toEqual(ended)
    })
  })
}
