import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryDriver, SessionStore, SessionStoreError } from '@session-stores/core'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createApp } from '../src/app.ts'
import { openStore } from '../src/store.ts'
import { Users } from '../src/users.ts'
import { Browser } from './support/browser.ts'
import { cost, password, serve, userOf } from './support/serve.ts'

const FIREFOX = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' }
const CHROME = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'app-'))
  afterAll(() => rmSync(made, { recursive: true, force: true }))
  return made
}

describe('on SQLite', () => pages(`sqlite:${join(folder(), 'sessions.db')}`))
describeWith('on Redis', redisServer, ({ url }) => pages(url))
describeWith('on PostgreSQL', postgresServer, ({ url }) => pages(url))
describeWith('on MongoDB', mongoServer, ({ url }) => pages(url))

function pages(url: string): void {
  const store = openStore(url, { user: userOf })
  const users = new Users(join(folder(), 'users.db'), { cost })
  let server: Server
  let origin: string
  let people = 0
  const newName = () => `person ${process.pid}-${++people}`

  beforeAll(async () => {
    const app = createApp({ store, users, secret: 'of the tests', triesPerAddress: 1000 })
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

  test('visits are counted, each browser for itself, once somebody is signed in', async () => {
    const name = newName()
    const one = await signedUp(name)
    const other = await signedIn(name)
    expect(visits((await one.get('/')).body)).toBe(2)
    expect(visits((await one.get('/')).body)).toBe(3)
    expect(visits((await other.get('/')).body)).toBe(2)
    expect((await new Browser(origin).get('/')).body).not.toContain('id="visits"')
  })

  test('whoever only looks leaves nothing in the store', async () => {
    const before = await store.length()
    for (const path of ['/', '/sign-in', '/sign-up', '/sessions']) await new Browser(origin).get(path)
    expect(await store.length()).toBe(before)
  })

  test('a sign-in has a new session id, and the old one is no session any more', async () => {
    const name = newName()
    const browser = await signedUp(name)
    const before = browser.cookies.get('session')!
    await browser.submit('/sign-in', '/sign-in', { name, password })
    const after = browser.cookies.get('session')!
    expect(after).not.toBe(before)
    expect((await browser.get('/sessions')).path).toBe('/sessions')
    const thief = new Browser(origin)
    thief.cookies.set('session', before)
    expect((await thief.get('/sessions')).path).toBe('/sign-in')
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
    // Not even with its cookie: a token holds for the session that it was made for.
    browser.cookies.set('csrf', stolen)
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
  const { origin } = await serve({ store })
  const browser = new Browser(origin)
  await browser.submit('/sign-up', '/sign-up', { name: 'Ann', password })
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => logged.mockRestore())
  failing = true
  const away = await browser.get('/')
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5'])
  expect(away.body).not.toContain('SessionStoreError')
  expect(logged).toHaveBeenCalledOnce()
  code = 'SEAL_BROKEN'
  const page = await browser.get('/')
  expect([page.status, page.path]).toEqual([200, '/sign-in'])
  expect(browser.cookies.has('session')).toBe(false)
})
