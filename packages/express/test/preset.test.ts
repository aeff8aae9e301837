import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import express, { type Request, type Response } from 'express'
import session, { MemoryStore } from 'express-session'
import { describe, expect, it, onTestFinished, test, vi } from 'vitest'
import { openFailing, openInMemory } from '../../token/test/support/databases.ts'
import { type SessionsOptions, sessions, signIn } from '../src/index.ts'
import {
  handle,
  makeApp,
  openBrowser,
  SECRET,
  SID,
  send,
  serve as serveApp,
  showErrors,
  versions,
} from './support/site.ts'

const store = openInMemory()
const other = 'aQ8ZpR3wYt6UeNs1VxCb7MkJ4hGfD2Lo'

describe('weak settings', () => {
  test.each([
    ['no store', { store: undefined }, /'store' is missing/],
    ["express-session's MemoryStore", { store: new MemoryStore() }, /memoryDriver/],
    ['a store of another project', { store: { get() {}, set() {} } }, /a store of this project/],
    ['no secret', { secret: undefined }, /'secret' is missing.*randomBytes/],
    ['an empty secret', { secret: '' }, /'secret' takes at least 32/],
    ['a short secret', { secret: 'jT7PqE2vXr9WmKf4' }, /'secret' takes at least 32/],
    ['a known secret', { secret: 'keyboard cat keyboard cat keyboard cat' }, /'secret' takes/],
    ['a placeholder', { secret: 'change-me-change-me-1234567890-abcdef' }, /'secret' takes/],
    ['one letter', { secret: 'a'.repeat(64) }, /'secret' takes/],
    ['no secrets', { secret: [] }, /'secret' takes/],
    ['an older secret that is weak', { secret: [SECRET, 'old'] }, /'secret' takes/],
    ['the same secret twice', { secret: [SECRET, SECRET] }, /same secret twice/],
    ['a name without prefix', { name: 'sid' }, /'name' takes.*__Host-/],
    ['the default name of express-session', { name: 'connect.sid' }, /'name' takes/],
    ['the weaker prefix', { name: '__Secure-sid' }, /'name' takes/],
    ['a prefix alone', { name: '__Host-' }, /'name' takes/],
    ['a name with a semicolon', { name: '__Host-a;b' }, /'name' takes/],
    ['sameSite false', { sameSite: false }, /'sameSite' takes/],
    ['sameSite none', { sameSite: 'none' }, /lets every site send the cookie/],
    ['sameSite in another case', { sameSite: 'Lax' }, /'sameSite' takes/],
    ['crossSite alone', { crossSite: true }, /needs 'sameSite/],
    ['maxAge as text', { maxAge: '7d' }, /'maxAge' takes a number of milliseconds/],
    ['maxAge in seconds', { maxAge: 60 }, /'maxAge' takes/],
    ['maxAge of two years', { maxAge: 2 * 365 * 86_400_000 }, /400 days/],
    ['maxAge NaN', { maxAge: Number.NaN }, /'maxAge' takes/],
    ['secure: false', { secure: false }, /development: true/],
    ['httpOnly: false', { httpOnly: false }, /no script can read it/],
    ['a domain', { domain: 'example.com' }, /never has a Domain/],
    ['a path', { path: '/app' }, /always has the path/],
    ['a cookie of your own', { cookie: { secure: false } }, /the preset sets the cookie/],
    ['resave', { resave: true }, /always false/],
    ['saveUninitialized', { saveUninitialized: true }, /always false/],
    ['rolling', { rolling: true }, /signed out/],
    ['genid', { genid: () => '1' }, /144 random bits/],
    ['proxy', { proxy: true }, /trust proxy/],
    ['unset', { unset: 'destroy' }, /signOut/],
    ['ttl', { ttl: 60 }, /idleTimeout/],
    ['an unknown option', { storee: 1 }, /unknown option 'storee'/],
    ['development as text', { development: 'yes' }, /'development' takes/],
    ['development with crossSite', { development: true, crossSite: true, sameSite: 'none' }, /needs https/],
    ['readAlso of the name itself', { readAlso: [SID] }, /older cookies/],
    ['readAlso as text', { readAlso: 'connect.sid' }, /'readAlso' takes/],
  ])('%s', (_name, wrong, message) => {
    const make = () => sessions({ store, secret: SECRET, ...wrong } as SessionsOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
    expect(make).not.toThrow(SECRET)
  })

  test('development in production', () => {
    vi.stubEnv('NODE_ENV', 'production')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(() => sessions({ store, secret: SECRET, development: true })).toThrow(/NODE_ENV/)
  })
})

describe.each(versions)('on %s, the preset', (_version, make) => {
  function openApp(options: Parameters<typeof makeApp>[1] = {}) {
    const store = openInMemory()
    const app = makeApp(store, { make, ...options })
    app.get('/', (req, res) => void res.json({ user: req.session.userId ?? null }))
    app.post(
      '/sign-in',
      handle((req) => signIn(req, { userId: 'ada' })),
    )
    app.post('/cart', (req, res) => {
      req.session.cart = ['book']
      res.end()
    })
    return { store, serve: () => serveApp(showErrors(app)) }
  }

  it('sets a cookie that is __Host-, Secure, HttpOnly and SameSite, for all of the site and no longer than the browser', async () => {
    const origin = await openApp().serve()
    const { cookies, status } = await send(`${origin}/sign-in`, { method: 'POST' })
    expect(status).toBe(200)
    expect(cookies).toEqual([
      expect.stringMatching(/^__Host-sid=s%3A[\w-]{32}\.[\w%]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ])
  })

  it("answers under the fake timers of an application's tests", async () => {
    const origin = await openApp().serve()
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { cookies } = await send(`${origin}/sign-in`, { method: 'POST' })
    const [cookie] = cookies[0]!.split(';')
    expect((await send(origin, { headers: { cookie: cookie! } })).body).toBe('{"user":"ada"}')
  })

  it('keeps the cookie for maxAge, strictly', async () => {
    const origin = await openApp({ maxAge: 3_600_000, sameSite: 'strict', name: '__Host-app' }).serve()
    const { cookies } = await send(`${origin}/sign-in`, { method: 'POST' })
    expect(cookies[0]).toMatch(/^__Host-app=.*Expires=.*HttpOnly; Secure; SameSite=Strict$/)
  })

  it('sets no cookie and stores nothing for a visitor without data', async () => {
    const { store, serve } = openApp()
    const { cookies } = await send(`${await serve()}/`)
    expect(cookies).toEqual([])
    expect(await store.length()).toBe(0)
  })

  it('in development, neither needs https nor sets the prefix', async () => {
    const origin = await openApp({ development: true, trustsProxy: false }).serve()
    const { cookies } = await send(`${origin}/sign-in`, { method: 'POST' })
    expect(cookies[0]).toMatch(/^sid=s%3A[^;]+; Path=\/; HttpOnly; SameSite=Lax$/)
  })

  it('says what to set where the cookie would be lost, and stores nothing', async () => {
    const { store, serve } = openApp({ trustsProxy: false })
    const origin = await serve()
    const lost = await send(`${origin}/cart`, { method: 'POST' })
    expect([lost.status, lost.cookies]).toEqual([500, []])
    expect(lost.body).toContain("app.set('trust proxy', 1)")
    expect(JSON.parse((await send(`${origin}/sign-in`, { method: 'POST' })).body)).toEqual({
      code: 'INSECURE_CONNECTION',
    })
    expect((await send(`${origin}/`)).status).toBe(200)
    expect(await store.length()).toBe(0)
  })

  it('refuses two cookies of one name', async () => {
    const origin = await openApp().serve()
    const browser = openBrowser(origin)
    await browser.post('/sign-in')
    const cookie = browser.cookieFor(origin)
    for (const headers of [
      { cookie: `${SID}=planted; ${cookie}` },
      { cookie: `${cookie}; ${SID}=planted` },
    ]) {
      const { status, body } = await send(`${origin}/`, { headers })
      expect([status, JSON.parse(body)]).toEqual([400, { code: 'AMBIGUOUS' }])
    }
    // A browser takes these for other cookies, and so does the preset.
    const { body } = await send(`${origin}/`, {
      headers: { cookie: `__host-sid=planted; ${cookie}; x${SID}=planted` },
    })
    expect(JSON.parse(body)).toEqual({ user: 'ada' })
  })

  it('takes a broken cookie for none', async () => {
    const origin = await openApp({ readAlso: ['connect.sid'] }).serve()
    for (const name of [SID, 'connect.sid'])
      for (const value of ['', '%', '%E0%A4%A', 's%3A', 's:.', 'j:{}', '"', '=;=', 's%3A%00.x']) {
        const { status } = await send(`${origin}/sign-in`, {
          method: 'POST',
          headers: { cookie: `${name}=${value}` },
        })
        expect(status, value).toBe(200)
      }
  })

  it('takes over an older cookie, and replaces it', async () => {
    const { store, serve } = openApp({ readAlso: ['connect.sid'] })
    const origin = await serve()
    const before = make()
    before.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false }))
    before.get('/', (req, res) => {
      req.session.userId = 'ada'
      res.end()
    })
    const [line] = (await send(await serveApp(before))).cookies
    const cookie = line!.split(';')[0]!
    const { body, cookies } = await send(`${origin}/`, { headers: { cookie } })
    expect(JSON.parse(body)).toEqual({ user: 'ada' })
    const value = cookie.slice('connect.sid='.length)
    expect(cookies[0]).toBe(`${SID}=${value}; Path=/; HttpOnly; Secure; SameSite=Lax`)
    expect(cookies[1]).toMatch(/^connect\.sid=; Path=\/; Expires=Thu, 01 Jan 1970/)
    // The new cookie alone is enough from now on, and a forged old one moves nothing.
    expect(JSON.parse((await send(`${origin}/`, { headers: { cookie: `${SID}=${value}` } })).body)).toEqual({
      user: 'ada',
    })
    const forged = await send(`${origin}/`, { headers: { cookie: `connect.sid=${value.slice(0, -3)}AAA` } })
    expect([JSON.parse(forged.body), forged.cookies]).toEqual([{ user: null }, []])
    // The handshake of a WebSocket has the same cookie, and no answer of Express.
    const handshake = Object.assign(new IncomingMessage(new Socket()), { headers: { cookie }, url: '/' })
    const middleware = sessions({ store, secret: SECRET, readAlso: ['connect.sid'] })
    await new Promise((resolve) => {
      middleware(handshake as Request, new ServerResponse(handshake) as Response, resolve)
    })
    expect((handshake as Request).session.userId).toBe('ada')
  })

  it('answers with 503 while the store is down, and leaves the cookie', async () => {
    const { state, store: failing } = openFailing()
    const app = makeApp(failing, { make })
    app.get('/', (_req, res) => void res.end())
    app.post(
      '/sign-in',
      handle((req) => signIn(req, { userId: 'ada' })),
    )
    const origin = await serveApp(app)
    const browser = openBrowser(origin)
    await browser.post('/sign-in')
    state.isDown = true
    const { status, headers, cookies } = await send(`${origin}/`, {
      headers: { cookie: browser.cookieFor(origin) },
    })
    expect([status, headers['retry-after'], cookies]).toEqual([503, '1', []])
  })
})

test('signIn without the preset says what is missing', async () => {
  const app = express()
  app.post(
    '/',
    handle((req) => signIn(req, {})),
  )
  const origin = await serveApp(showErrors(app))
  expect(JSON.parse((await send(origin, { method: 'POST' })).body)).toEqual({ code: 'TypeError' })
})

test('another secret than the first one is read, and does not sign', async () => {
  const shared = openInMemory()
  const make = (secret: string | string[]) => {
    const app = makeApp(shared, { secret })
    app.get('/', (req, res) => void res.json({ user: req.session.userId ?? null }))
    app.post(
      '/sign-in',
      handle((req) => signIn(req, { userId: 'ada' })),
    )
    return serveApp(app)
  }
  const [old, both, later] = [await make(other), await make([SECRET, other]), await make(SECRET)]
  const sign = async (origin: string) =>
    (await send(`${origin}/sign-in`, { method: 'POST' })).cookies[0]!.split(';')[0]!
  const userOf = async (origin: string, cookie: string) =>
    JSON.parse((await send(origin, { headers: { cookie } })).body).user
  const [before, after] = [await sign(old), await sign(both)]
  expect([await userOf(both, before), await userOf(later, before), await userOf(later, after)]).toEqual([
    'ada',
    null,
    'ada',
  ])
})
