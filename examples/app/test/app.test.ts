import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryDriver, SessionStore, SessionStoreError } from '@session-stores/core'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createApp } from '../src/app.ts'
import { openStore } from '../src/store.ts'
import { Users } from '../src/users.ts'
import { Browser } from './browser.ts'

const FIREFOX = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' }
const CHROME = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
}
const password = 'correct horse battery'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'app-'))
  afterAll(() => rmSync(made, { recursive: true, force: true }))
  return made
}

const options = { user: (session: { user?: { id: string } }) => session.user?.id }

describe('on SQLite', () => pages(`sqlite:${join(folder(), 'sessions.db')}`))
describeWith('on Redis', redisServer, ({ url }) => pages(url))
describeWith('on PostgreSQL', postgresServer, ({ url }) => pages(url))
describeWith('on MongoDB', mongoServer, ({ url }) => pages(url))

function pages(url: string): void {
  const store = openStore(url, options)
  const users = new Users(join(folder(), 'users.db'))
  let server: Server
  let origin: string
  let people = 0
  const newName = () => `person ${process.pid}-${++people}`

  beforeAll(async () => {
    const app = createApp({ store, users, secret: 'of the tests', trustProxy: 'loopback', signInLimit: 1000 })
    server = app.listen(0)
    await once(server, 'listening')
    origin = `http://localhost:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.close()
    server.closeAllConnections()
    await store.close()
    users.close()
  })

  async function signedUp(name: string, headers = {}): Promise<Browser> {
    const browser = new Browser(origin, headers)
    const page = await browser.submit('/sign-up', '/sign-up', { name, password })
    expect(page.body).toContain(`Hello, ${name}`)
    return browser
  }

  async function signedIn(name: string, headers = {}): Promise<Browser> {
    const browser = new Browser(origin, headers)
    const page = await browser.submit('/sign-in', '/sign-in', { name, password })
    expect(page.body).toContain(`Hello, ${name}`)
    return browser
  }

  const visits = (body: string) => Number(/id="visits">(\d+)</.exec(body)?.[1])

  test('visits are counted, each browser for itself', async () => {
    const [one, other] = [new Browser(origin), new Browser(origin)]
    expect(visits((await one.get('/')).body)).toBe(1)
    expect(visits((await one.get('/')).body)).toBe(2)
    expect(visits((await other.get('/')).body)).toBe(1)
  })

  test('the cookie is HttpOnly and SameSite=Lax, and Secure behind HTTPS', async () => {
    const plain = new Browser(origin)
    await plain.get('/')
    expect(plain.setCookie).toMatch(/^session=.*Path=\/; Expires=.*HttpOnly; SameSite=Lax$/)
    const secure = new Browser(origin, { 'x-forwarded-proto': 'https' })
    await secure.get('/')
    expect(secure.setCookie).toMatch(/HttpOnly; Secure; SameSite=Lax$/)
  })

  test('a sign-in has a new session id, and the old one is no session any more', async () => {
    const browser = new Browser(origin)
    await browser.get('/')
    const before = browser.cookies.get('session')!
    await browser.submit('/sign-up', '/sign-up', { name: newName(), password })
    const after = browser.cookies.get('session')!
    expect(after).not.toBe(before)
    const thief = new Browser(origin)
    thief.cookies.set('session', before)
    expect(visits((await thief.get('/')).body)).toBe(1)
  })

  test('a wrong password, an unknown name, a taken name and a short password are refused', async () => {
    const name = newName()
    await signedUp(name)
    const browser = new Browser(origin)
    const wrong = await browser.submit('/sign-in', '/sign-in', { name, password: 'something else' })
    expect([wrong.status, wrong.body]).toEqual([401, expect.stringContaining('Name or password is wrong.')])
    const unknown = await browser.submit('/sign-in', '/sign-in', { name: newName(), password })
    expect([unknown.status, unknown.body]).toEqual([
      401,
      expect.stringContaining('Name or password is wrong.'),
    ])
    const taken = await browser.submit('/sign-up', '/sign-up', { name: name.toUpperCase(), password })
    expect([taken.status, taken.body]).toEqual([422, expect.stringContaining('This name is taken.')])
    const short = await browser.submit('/sign-up', '/sign-up', { name: newName(), password: '1234567' })
    expect([short.status, short.body]).toEqual([422, expect.stringContaining('at least 8 characters')])
  })

  test('a form without its token, or with that of another browser, is refused', async () => {
    const browser = await signedUp(newName())
    expect((await browser.post('/sign-out', {})).status).toBe(403)
    const { body } = await new Browser(origin).get('/sign-in')
    const stolen = /name="csrf" value="([^"]+)"/.exec(body)![1]!
    expect((await browser.post('/sign-out', { csrf: stolen })).status).toBe(403)
    expect((await browser.get('/sessions')).path).toBe('/sessions')
  })

  test('what people type is shown as text', async () => {
    const browser = new Browser(origin)
    const name = `<b>"${newName()}"</b>`
    const page = await browser.submit('/sign-in', '/sign-in', { name, password })
    expect(page.body).toContain('&lt;b&gt;&quot;')
    expect(page.body).not.toContain('<b>"')
  })

  test('every session of the user is listed, this one marked; one is signed out, then all others', async () => {
    const name = newName()
    const first = await signedUp(name, FIREFOX)
    const second = await signedIn(name, CHROME)
    const third = await signedIn(name)
    const { body } = await first.get('/sessions')
    expect(body).toMatch(/Firefox on Linux <span class="badge">this one/)
    expect(body).toMatch(/Chrome on Windows\s*<\/h2>/)
    expect(body.match(/<li /g)).toHaveLength(3)
    expect(body.match(/this one/g)).toHaveLength(1)

    const handleOfChrome = /Chrome.*?name="handle" value="([^"]+)"/s.exec(body)![1]!
    await first.submit('/sessions', '/sessions/revoke', { handle: handleOfChrome })
    expect((await second.get('/sessions')).path).toBe('/sign-in')
    expect((await third.get('/sessions')).path).toBe('/sessions')

    await first.submit('/sessions', '/sessions/revoke-others')
    expect((await third.get('/sessions')).path).toBe('/sign-in')
    expect((await first.get('/sessions')).body.match(/<li /g)).toHaveLength(1)
  })

  test("somebody else's session cannot be signed out", async () => {
    const [ann, bob] = [await signedUp(newName()), await signedUp(newName())]
    const handle = /name="handle" value="([^"]+)"/.exec((await ann.get('/sessions')).body)![1]!
    await bob.submit('/sessions', '/sessions/revoke', { handle })
    expect((await ann.get('/sessions')).path).toBe('/sessions')
  })

  test('after signing out, the old cookie is no session any more', async () => {
    const browser = await signedUp(newName())
    const cookie = browser.cookies.get('session')!
    await browser.submit('/', '/sign-out')
    const thief = new Browser(origin)
    thief.cookies.set('session', cookie)
    expect((await thief.get('/sessions')).path).toBe('/sign-in')
  })
}

test('too many tries of a password are refused for a while', async () => {
  const users = new Users(':memory:')
  const server = createApp({
    store: new SessionStore(memoryDriver()),
    users,
    secret: 's',
    signInLimit: 2,
  }).listen(0)
  await once(server, 'listening')
  const browser = new Browser(`http://localhost:${(server.address() as AddressInfo).port}`)
  const statuses: number[] = []
  for (let i = 0; i < 3; i++)
    statuses.push((await browser.submit('/sign-in', '/sign-in', { name: 'x', password })).status)
  expect(statuses).toEqual([401, 401, 429])
  server.close()
  server.closeAllConnections()
})

test('a database that is away is a page with 503, an unreadable session a new start', async () => {
  let code: 'UNAVAILABLE' | 'SEAL_BROKEN' = 'UNAVAILABLE'
  const driver = memoryDriver()
  // The failure of the driver is what is tested here; the drivers' own tests make real servers fail.
  const store = new SessionStore({
    ...driver,
    read(keys) {
      if (failing) throw new SessionStoreError(code, 'of the test')
      return driver.read(keys)
    },
  })
  let failing = false
  const server = createApp({ store, users: new Users(':memory:'), secret: 's' }).listen(0)
  await once(server, 'listening')
  const browser = new Browser(`http://localhost:${(server.address() as AddressInfo).port}`)
  await browser.get('/')
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  failing = true
  const away = await browser.get('/')
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5'])
  expect(away.body).not.toContain('SessionStoreError')
  expect(logged).toHaveBeenCalledOnce()
  code = 'SEAL_BROKEN'
  const page = await browser.get('/')
  expect([page.status, page.path]).toEqual([200, '/sign-in'])
  server.close()
  server.closeAllConnections()
})
