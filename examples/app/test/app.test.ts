import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryDriver, SessionStore, SessionStoreError } from '@session-stores/core'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import { Browser } from '@session-stores/testbed/browser'
import { describeWith } from '@session-stores/testbed/vitest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createApp } from '../src/app.ts'
import { nameDatabase, openStore } from '../src/store.ts'
import { makeTokens } from '../src/tokens.ts'
import { Users } from '../src/users.ts'
import { cost, password, secret, serve, userOf } from './support/serve.ts'

const FIREFOX = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' }
const CHROME = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
}

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for.
type Json = any

function makeFolder(): string {
  const created = mkdtempSync(join(tmpdir(), 'app-'))
  afterAll(() => rmSync(created, { recursive: true, force: true }))
  return created
}

describe('on SQLite', () => describePages(`sqlite:${join(makeFolder(), 'sessions.db')}`))
describeWith('on Redis', redisServer, ({ url }) => describePages(url))
describeWith('on PostgreSQL', postgresServer, ({ url }) => describePages(url))
describeWith('on MongoDB', mongoServer, ({ url }) => describePages(url))

/** Declares the tests of all pages, in one function because they share a server and its users. */
function describePages(url: string): void {
  const store = openStore(url, { user: userOf })
  const users = new Users(join(makeFolder(), 'users.db'), { cost })
  const tokens = makeTokens(store, secret)
  let server: Server
  let origin: string
  let people = 0
  const newName = () => `person ${process.pid}-${++people}`

  beforeAll(async () => {
    const app = createApp({
      store,
      users,
      tokens,
      database: nameDatabase(url),
      secret,
      triesPerAddress: 1000,
    })
    server = app.listen(0)
    await once(server, 'listening')
    origin = `http://localhost:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.close()
    server.closeAllConnections()
    tokens.close()
    await store.close()
    users.close()
  })

  async function signUp(name: string, headers = {}): Promise<Browser> {
    const browser = new Browser(origin, headers)
    const page = await browser.submit('/sign-up', '/sign-up', { name, password })
    expect(page.body).toContain(`Hello, ${name}`)
    return browser
  }

  async function signIn(name: string, headers = {}): Promise<Browser> {
    const browser = new Browser(origin, headers)
    const page = await browser.submit('/sign-in', '/sign-in', { name, password })
    expect(page.body).toContain(`Hello, ${name}`)
    return browser
  }

  const visits = (body: string) => Number(/id="visits">(\d+)</.exec(body)?.[1])

  test('visits are counted for each browser that is signed in', async () => {
    const name = newName()
    const one = await signUp(name)
    const other = await signIn(name)
    expect(visits((await one.get('/')).body)).toBe(2)
    expect(visits((await one.get('/')).body)).toBe(3)
    expect(visits((await other.get('/')).body)).toBe(2)
    expect((await new Browser(origin).get('/')).body).not.toContain('id="visits"')
  })

  test('visitors who do not sign in leave nothing in the store', async () => {
    const before = await store.length()
    for (const path of ['/', '/sign-in', '/sign-up', '/sessions']) await new Browser(origin).get(path)
    expect(await store.length()).toBe(before)
  })

  test('a sign-in changes the session id, and the old id is no longer valid', async () => {
    const name = newName()
    const browser = await signUp(name)
    const before = browser.cookies.get('sid')!
    await browser.submit('/sign-in', '/sign-in', { name, password })
    const after = browser.cookies.get('sid')!
    expect(after).not.toBe(before)
    expect((await browser.get('/sessions')).path).toBe('/sessions')
    const thief = new Browser(origin)
    thief.cookies.set('sid', before)
    expect((await thief.get('/sessions')).path).toBe('/sign-in')
  })

  test('a wrong password, an unknown name, a taken name and a short password are refused', async () => {
    const name = newName()
    await signUp(name)
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

  test('a form of another site is refused', async () => {
    const name = newName()
    const browser = await signUp(name)
    for (const site of ['cross-site', 'same-site']) {
      const elsewhere = new Browser(origin, { 'sec-fetch-site': site })
      for (const [cookie, value] of browser.cookies) elsewhere.cookies.set(cookie, value)
      for (const path of ['/sign-out', '/sessions/revoke-others', '/sign-out-everywhere', '/token'])
        expect((await elsewhere.post(path, {})).status).toBe(403)
      // Signing somebody in as somebody else is an attack, too.
      const stranger = new Browser(origin, { 'sec-fetch-site': site })
      expect((await stranger.post('/sign-in', { name, password })).status).toBe(403)
      expect(stranger.cookies.size).toBe(0)
    }
    expect((await browser.get('/sessions')).path).toBe('/sessions')
  })

  test('the pages say which database stores the sessions, and which pages do not exist', async () => {
    const browser = await signUp(newName())
    expect((await browser.get('/')).body).toContain(`id="database">${nameDatabase(url)}<`)
    for (const somebody of [browser, new Browser(origin)]) {
      const { status, body } = await somebody.get('/nope')
      expect([status, body]).toEqual([404, expect.stringContaining('There is no such page')])
    }
    expect((await browser.get('/nope')).body).toContain('Your sessions')
  })

  test('input is shown as text', async () => {
    const browser = new Browser(origin)
    const name = `<b>"${newName()}"</b>`
    const page = await browser.submit('/sign-in', '/sign-in', { name, password })
    expect(page.body).toContain('&lt;b&gt;&quot;')
    expect(page.body).not.toContain('<b>"')
  })

  test('all sessions of the user are listed, the current one is marked, and others can be signed out', async () => {
    const name = newName()
    const first = await signUp(name, FIREFOX)
    const second = await signIn(name, CHROME)
    const third = await signIn(name)
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
    const [ann, bob] = [await signUp(newName()), await signUp(newName())]
    const handle = /name="handle" value="([^"]+)"/.exec((await ann.get('/sessions')).body)![1]!
    await bob.submit('/sessions', '/sessions/revoke', { handle })
    expect((await ann.get('/sessions')).path).toBe('/sessions')
  })

  test('a program signs in, uses the API, is listed as a session, and is ended there', async () => {
    const name = newName()
    const browser = await signUp(name)
    const ask = async (path: string, init: RequestInit = {}) => {
      const headers = { 'Content-Type': 'application/json', ...init.headers }
      const response = await fetch(origin + path, { ...init, headers })
      return { status: response.status, body: (await response.json().catch(() => undefined)) as Json }
    }
    const post = (path: string, body: object, more: Record<string, string> = {}) =>
      ask(path, { method: 'POST', body: JSON.stringify(body), headers: more })
    expect((await post('/api/sign-in', { name, password: 'something else' })).status).toBe(401)
    const { body: pair } = await post('/api/sign-in', { name, password, device: 'A <b>test</b>' })
    const bearer = { Authorization: `Bearer ${pair.access_token}` }
    expect(await post('/api/notes', { text: ' Buy milk ' }, bearer)).toEqual({
      status: 201,
      body: { notes: ['Buy milk'] },
    })
    expect((await post('/api/notes', { text: '' }, bearer)).status).toBe(422)
    expect((await ask('/api/nothing', { headers: bearer })).status).toBe(404)
    expect((await ask('/api/notes')).status).toBe(401)

    const { body } = await browser.get('/sessions')
    expect(body).toMatch(/A &lt;b&gt;test&lt;\/b&gt; <span class="badge">program/)
    const handle = /program.*?name="handle" value="([^"]+)"/s.exec(body)![1]!
    await browser.post('/sessions/revoke', { handle })
    expect((await ask('/api/notes', { headers: bearer })).body.code).toBe('REVOKED')
    const grant = { grant_type: 'refresh_token', refresh_token: pair.refresh_token }
    expect((await post('/token', grant)).body).toMatchObject({ error: 'invalid_grant', code: 'REVOKED' })
  })

  test('signing out everywhere ends browsers, programs and their tokens', async () => {
    const name = newName()
    const [one, two] = [await signUp(name), await signIn(name)]
    const { access_token: access } = (await (
      await fetch(`${origin}/api/sign-in`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ name, password }),
      })
    ).json()) as Json
    await one.post('/sign-out-everywhere')
    for (const browser of [one, two]) expect((await browser.get('/sessions')).path).toBe('/sign-in')
    const { status } = await fetch(`${origin}/api/notes`, { headers: { Authorization: `Bearer ${access}` } })
    expect(status).toBe(401)
  })

  test('after signing out, the old cookie is no longer valid', async () => {
    const browser = await signUp(newName())
    const cookie = browser.cookies.get('sid')!
    await browser.submit('/', '/sign-out')
    const thief = new Browser(origin)
    thief.cookies.set('sid', cookie)
    expect((await thief.get('/sessions')).path).toBe('/sign-in')
  })
}

test('an unavailable database gives a page with 503, and an unreadable session leads to the sign-in', async () => {
  let code: 'UNAVAILABLE' | 'SEAL_BROKEN' = 'UNAVAILABLE'
  const driver = memoryDriver()
  // This test is about the application, so a fake driver fails. Real outages are tested with the
  // drivers.
  const store = new SessionStore(
    {
      ...driver,
      read(keys) {
        if (failing) throw new SessionStoreError(code, 'of the test')
        return driver.read(keys)
      },
    },
    { user: userOf },
  )
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
  expect(browser.cookies.has('sid')).toBe(false)
})
