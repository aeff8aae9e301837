import type { SessionStore } from '@session-stores/core'
import { Passport } from 'passport'
import { Strategy } from 'passport-local'
import { describe, expect, it, onTestFinished, test, vi } from 'vitest'
import { describeOnDatabases, openForTest, openInMemory } from '../../token/test/support/databases.ts'
import { passportSessions } from '../src/index.ts'
import {
  countWrites,
  Gate,
  handle,
  makeApp,
  openBrowser,
  SID,
  send,
  serve,
  showErrors,
  versions,
} from './support/site.ts'

declare module 'express-session' {
  interface SessionData {
    passport?: { user?: string }
    messages?: string[]
    returnTo?: string
    role?: string
  }
}

/** The option `user` of a store whose users sign in by Passport. */
const ofPassport = { user: (session: { passport?: { user?: string } }) => session.passport?.user }

async function openSite(store: SessionStore, make = versions[0]![1], keep?: string[]) {
  const state: { gate?: Gate; serializes: boolean } = { serializes: true }
  const passport = new Passport()
  passport.serializeUser((user, done) => {
    if (state.serializes) done(null, (user as { name: string }).name)
    else done(new Error('the users cannot be reached'))
  })
  passport.deserializeUser((name: string, done) => done(null, { name }))
  passport.use(
    new Strategy((name, password, done) =>
      done(null, password === 'right' && { name }, { message: 'Wrong.' }),
    ),
  )
  passportSessions(passport, keep && { keep })
  const app = makeApp(store, { make })
  app.use(passport.session())
  const name = (req: { user?: unknown }) => (req.user as { name?: string } | undefined)?.name ?? null
  app.get('/', (req, res) => void res.json({ user: name(req), cart: req.session.cart ?? [] }))
  app.post(
    '/cart',
    handle(async (req) => {
      if (req.query.slow) await state.gate?.pass()
      req.session.cart = [...(req.session.cart ?? []), `${req.query.item}`]
      req.session.role = 'planted'
    }),
  )
  app.post(
    '/login',
    passport.authenticate('local', { failureMessage: true, failWithError: true }),
    (_req, res) => res.redirect('/'),
  )
  app.post('/login-keeping', passport.authenticate('local', { keepSessionInfo: true }), (_req, res) =>
    res.redirect('/'),
  )
  app.post('/logout', (req, res, next) => req.logOut((error) => (error ? next(error) : res.redirect('/'))))
  app.post('/logout-keeping', (req, res, next) =>
    req.logOut({ keepSessionInfo: true }, (error) => (error ? next(error) : res.redirect('/'))),
  )
  app.post('/logout-saying', (req, res, next) =>
    req.logOut((error) => {
      req.session.messages = ['Bye.']
      if (error) next(error)
      else res.redirect('/')
    }),
  )
  const origin = await serve(showErrors(app))
  const browser = openBrowser(origin)
  const show = async (by = browser) => JSON.parse((await by.get('/')).body)
  const logIn = (path = '/login', username = 'ada', password = 'right') =>
    browser.post(path, { username, password })
  return { state, origin, browser, show, logIn, open: () => openBrowser(origin) }
}

describe.each(versions)('Passport on %s', (_version, make) => {
  it('logs in by one write and out by one, and leaves neither a row nor a cookie', async () => {
    const store = openInMemory(ofPassport)
    const { origin, browser, show, logIn } = await openSite(store, make)
    expect(await countWrites(() => logIn())).toBe(1)
    expect(await show()).toEqual({ user: 'ada', cart: [] })
    const cookie = browser.cookieFor(origin)
    let cookies: string[] = []
    expect(
      await countWrites(async () => {
        cookies = (await send(`${origin}/logout`, { method: 'POST', headers: { cookie } })).cookies
      }),
    ).toBe(1)
    expect(cookies).toEqual([expect.stringMatching(/^__Host-sid=; Path=\/; Expires=Thu, 01 Jan 1970/)])
    expect(await store.length()).toBe(0)
    expect(JSON.parse((await send(origin, { headers: { cookie } })).body).user).toBeNull()
  })

  it('a redirect right after the login finds the session', async () => {
    const { logIn } = await openSite(openInMemory(ofPassport), make)
    for (let i = 0; i < 20; i++) expect(JSON.parse((await logIn()).body)).toEqual({ user: 'ada', cart: [] })
  })

  it("logs in and out under the fake timers of an application's tests", async () => {
    const { browser, show, logIn } = await openSite(openInMemory(ofPassport), make)
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    expect(JSON.parse((await logIn()).body)).toEqual({ user: 'ada', cart: [] })
    await browser.post('/logout')
    expect(await show()).toEqual({ user: null, cart: [] })
  })

  it('a login that fails changes nothing for who is logged in', async () => {
    const store = openInMemory(ofPassport)
    const { show, logIn } = await openSite(store, make)
    expect((await logIn('/login', 'ada', 'wrong')).status).toBe(401)
    await logIn()
    expect((await logIn('/login', 'eve', 'wrong')).status).toBe(401)
    expect(await show()).toEqual({ user: 'ada', cart: [] })
  })

  it('what an application says after the logout is stored', async () => {
    const store = openInMemory(ofPassport)
    const { logIn, browser } = await openSite(store, make)
    await logIn()
    await browser.post('/logout-saying')
    const { sessions } = await store.list()
    expect(sessions.map(({ session }) => [session.messages, session.passport])).toEqual([
      [['Bye.'], undefined],
    ])
    expect(browser.cookies.get(SID)).not.toBe('')
  })
})

describeOnDatabases('Passport', (makePlace) => {
  it('a login keeps what it is told to, and a logout, too', async () => {
    const { browser, show, logIn, open } = await openSite(openForTest(makePlace(), ofPassport), undefined, [
      'cart',
    ])
    await browser.post('/cart?item=book')
    const before = browser.copy()
    await logIn()
    expect(await show()).toEqual({ user: 'ada', cart: ['book'] })
    expect(await show(before)).toEqual({ user: null, cart: [] })
    const during = browser.copy()
    await browser.post('/logout')
    expect(await show()).toEqual({ user: null, cart: ['book'] })
    expect(await show(during)).toEqual({ user: null, cart: [] })
    expect(await show(open())).toEqual({ user: null, cart: [] })
  })

  it('keepSessionInfo keeps all but what belongs to the session itself', async () => {
    const store = openForTest(makePlace(), ofPassport)
    const { browser, show, logIn } = await openSite(store)
    for (let i = 0; i < 8; i++) await logIn('/login', 'ada', 'wrong')
    await browser.post('/cart?item=book')
    await logIn('/login-keeping')
    const [{ session } = { session: undefined }] = (await store.list({ user: 'ada' })).sessions
    expect(session).toMatchObject({ cart: ['book'], role: 'planted', passport: { user: 'ada' } })
    // Passport adds a message for each failure, without end.
    expect(session!.messages!.length).toBeLessThanOrEqual(5)
    await browser.post('/logout-keeping')
    expect(await show()).toEqual({ user: null, cart: ['book'] })
    expect((await store.list()).sessions.map((listed) => listed.session.passport)).toEqual([undefined])
    expect((await store.list()).sessions.map((listed) => listed.session.signedInAt)).toEqual([undefined])
  })

  it('a user that cannot be serialized loses nothing', async () => {
    const store = openForTest(makePlace(), ofPassport)
    const { state, browser, show, logIn } = await openSite(store, undefined, ['cart'])
    await browser.post('/cart?item=book')
    state.serializes = false
    expect((await logIn()).status).toBe(500)
    state.serializes = true
    expect(await show()).toEqual({ user: null, cart: ['book'] })
    await logIn()
    expect(await show()).toEqual({ user: 'ada', cart: ['book'] })
  })

  it('two logins at once both succeed, and the browser is logged in', async () => {
    const { browser, show, logIn } = await openSite(openForTest(makePlace(), ofPassport))
    await browser.post('/cart?item=book')
    expect((await Promise.all([logIn(), logIn()])).map(({ status }) => status)).toEqual([200, 200])
    expect(await show()).toMatchObject({ user: 'ada' })
  })

  it.each(['/login', '/logout'])(
    'a request in flight during %s logs nobody in or out again',
    async (path) => {
      const store = openForTest(makePlace(), ofPassport)
      const { state, origin, browser, show, logIn } = await openSite(store)
      if (path === '/logout') await logIn()
      else await browser.post('/cart?item=book')
      const old = browser.copy()
      const gate = new Gate()
      state.gate = gate
      const slow = send(`${origin}/cart?slow=1&item=lamp`, {
        method: 'POST',
        headers: { cookie: old.cookieFor(origin) },
      })
      await gate.entered.promise
      if (path === '/logout') await browser.post(path)
      else await logIn()
      gate.released.resolve()
      expect((await slow).status).toBe(200)
      expect(await show()).toMatchObject({ user: path === '/logout' ? null : 'ada' })
      expect(await show(old)).toEqual({ user: null, cart: [] })
      expect(await store.length()).toBe(path === '/logout' ? 0 : 1)
    },
  )
})

test.each([[{}], [undefined], [{ _sm: {} }], [{ _key: 'passport' }]])(
  'what is no Passport 0.7 is refused: %j',
  (passport) => {
    expect(() => passportSessions(passport as object)).toThrow(/passport@0\.7/)
  },
)

test('a wrong option is refused', () => {
  expect(() => passportSessions(new Passport(), { keep: 'cart' as never })).toThrow(/'keep' takes an array/)
})
