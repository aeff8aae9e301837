import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Page } from '../pages.ts'
import { type Server, start } from '../program.ts'
import { damageSessions } from './damage.ts'

const HOUR = 3_600_000
/** How long a condition may take on a busy machine, in milliseconds. */
const PATIENT = { timeout: 20_000 }
const user = { name: 'ada', password: 'correct horse' }
const ended = [1008, Buffer.from('the session has ended')]

/** Opens a WebSocket. Rejects with the status of an answer that refuses it. */
async function connect(server: Server, headers: Record<string, string>): Promise<WebSocket> {
  const socket = new WebSocket(server.origin.replace('http', 'ws'), { headers })
  const opened = Promise.withResolvers<void>()
  socket
    .once('open', opened.resolve)
    .once('error', opened.reject)
    .once('unexpected-response', (request, response) => {
      request.destroy()
      opened.reject(new Error(`refused with ${response.statusCode}`))
    })
  await opened.promise
  return socket
}

async function say(socket: WebSocket, text: string): Promise<string> {
  socket.send(text)
  const [answer] = await once(socket, 'message')
  return String(answer)
}

/** Declares the tests of docs/recipes/ws.md. */
export function testWs({ folder }: Page): void {
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
  const own = (at: Server) => ({ cookie: server.cookie, origin: at.origin })

  test('refuses a socket without a session', async () => {
    await expect(connect(server, { origin: server.origin })).rejects.toThrow('refused with 401')
    const forged = { origin: server.origin, cookie: 'sid=s%3Aabc.def' }
    await expect(connect(server, forged)).rejects.toThrow('refused with 401')
  })

  test('refuses pages of other origins, and programs that name none', async () => {
    await server.ask('/sign-in', user)
    const { cookie } = server
    for (const origin of ['https://evil.example', other.origin, 'null', `${server.origin}.evil.example`])
      await expect(connect(server, { cookie, origin }), origin).rejects.toThrow('refused with 403')
    await expect(connect(server, { cookie })).rejects.toThrow('refused with 403')
  })

  test('reads the session of the handshake, and for each packet what requests have saved', async () => {
    await server.ask('/sign-in', user)
    const socket = await connect(server, own(server))
    expect(await say(socket, 'hello')).toBe('ada in lobby: hello')
    expect((await server.ask('/room', { room: 'kitchen' })).status).toBe(204)
    expect(await say(socket, 'hello')).toBe('ada in kitchen: hello')
    const heard: string[] = []
    socket.on('message', (data) => heard.push(String(data)))
    const packets = Array.from({ length: 10 }, (_, packet) => `${packet}`)
    for (const packet of packets) socket.send(packet)
    await expect.poll(() => heard, PATIENT).toHaveLength(packets.length)
    expect(heard).toEqual(packets.map((packet) => `ada in kitchen: ${packet}`))
    socket.terminate()
  })

  test.each(['/sign-out', '/sign-in'])('closes a socket at once when %s ends its session', async (path) => {
    await server.ask('/sign-in', user)
    const socket = await connect(server, own(server))
    // Only the channel can do it: the next check is an hour away.
    const closed = once(socket, 'close')
    await server.ask(path, user)
    expect(await closed).toEqual(ended)
  })

  test('closes a socket whose session another process ended, with the next check', async () => {
    await server.ask('/sign-in', user)
    const socket = await connect(other, own(other))
    const closed = once(socket, 'close')
    await server.ask('/sign-out', {})
    expect(await closed).toEqual(ended)
  })

  test('answers no packet of a session that another process ended, before the next check', async () => {
    await server.ask('/sign-in', user)
    const socket = await connect(server, own(server))
    const heard: unknown[] = []
    socket.on('message', (data) => heard.push(data))
    await other.ask('/sign-out', {}, { cookie: server.cookie })
    expect(socket.readyState).toBe(WebSocket.OPEN)
    socket.send('hello')
    expect(await once(socket, 'close')).toEqual(ended)
    expect(heard).toEqual([])
  })

  test('tells an error of the store from a session that has ended', async () => {
    await server.ask('/sign-in', user)
    const { cookie } = server
    const two = { cookie: `${cookie}; ${cookie}`, origin: server.origin }
    await expect(connect(server, two)).rejects.toThrow('refused with 400')
    const [socket, watched] = [await connect(server, own(server)), await connect(other, own(other))]
    const repair = damageSessions(folder)
    await expect(connect(server, own(server))).rejects.toThrow('refused with 500')
    socket.send('hello')
    expect(await once(socket, 'close')).toEqual([1013, Buffer.from('try again later')])
    // Its checks see the error, too, and say nothing about the session.
    expect(watched.readyState).toBe(WebSocket.OPEN)
    repair()
    watched.terminate()
  })

  test('closes all sockets after clear(), and keeps them while the store does not answer', async () => {
    const module = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'close-with-session.mjs')).href)
    const store = new SessionStore(memoryDriver())
    const down = new SessionStore(memoryDriver())
    await down.close()
    const asked = Promise.withResolvers<void>()
    const peek = (handle: string) => down.peek(handle).finally(asked.resolve)
    const watch = module.closeWithSession({ peek }, 1)
    const closed: string[] = []
    for (const name of ['one', 'two'])
      watch(Object.assign(new EventEmitter(), { close: () => closed.push(name) }), store.handle(name))
    await asked.promise
    expect(closed).toEqual([])
    await store.clear()
    expect(closed).toEqual(['one', 'two'])
  })
}
