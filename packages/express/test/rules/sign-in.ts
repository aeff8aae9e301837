import { memoryDriver, SessionStore, SessionStoreError } from '@session-stores/core'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { describe, expect, it } from 'vitest'
import { describeOnDatabases, openForTest, openInMemory } from '../../../token/test/support/databases.ts'
import type { Host } from '../support/host.ts'
import { countWrites, Gate, openBrowser, SID, send, serve } from '../support/site.ts'

async function openSite(host: Host, store: SessionStore) {
  const state: { gate?: Gate; isSlow?: Gate } = {}
  const put = (session: { cart?: string[] }, item: unknown) => {
    session.cart = [...(session.cart ?? []), `${item}`]
  }
  const listener = await host.open({
    store,
    routes: {
      'GET /': ({ session }) => ({ user: session.userId ?? null, cart: session.cart ?? [] }),
      'POST /cart': async ({ query, session }) => {
        const { gate } = state
        if (query.slow && gate) await gate.pass()
        put(session, query.item)
      },
      'POST /sign-in': async ({ query, session, signIn }) => {
        if (query.slow && state.isSlow) await state.isSlow.pass()
        if (query.item) put(session, query.item)
        await signIn({ userId: `${query.user ?? 'ada'}` }, { keep: ['cart'] })
      },
      'POST /sign-out': ({ signOut }) => signOut(),
      'POST /sign-out-everywhere': ({ signOut }) => signOut({ everywhere: true, clearSiteData: false }),
    },
  })
  const origin = await serve(listener)
  const show = async (browser: ReturnType<typeof openBrowser>) => JSON.parse((await browser.get('/')).body)
  return { state, origin, show, open: () => openBrowser(origin) }
}

/** Declares the rules of `signIn` and `signOut` under a framework. */
export function declareSignIn(host: Host): void {
  declareFailures(host)
  describe(`on ${host.name}`, () => {
    it('a sign-in changes the id, is stored before the answer, and is not cached', async () => {
      const store = openInMemory()
      const { origin, open, show } = await openSite(host, store)
      const browser = open()
      await browser.post('/cart?item=book')
      const before = browser.cookies.get(SID)!
      const { headers } = await browser.post('/sign-in')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(browser.cookies.get(SID)).not.toBe(before)
      expect(await show(browser)).toEqual({ user: 'ada', cart: ['book'] })
      const thief = await send(origin, { headers: { cookie: `${SID}=${before}` } })
      expect(JSON.parse(thief.body)).toEqual({ user: null, cart: [] })
      const { sessions } = await store.list()
      expect(sessions).toHaveLength(1)
      expect(sessions[0]!.session.signedInAt).toBeGreaterThan(Date.now() - 60_000)
    })

    it('a sign-in of a visitor costs one write, of somebody with a session two, and a sign-out one', async () => {
      const store = openInMemory()
      const { open } = await openSite(host, store)
      const browser = open()
      expect(await countWrites(() => browser.post('/sign-in'))).toBe(1)
      expect(await countWrites(() => browser.post('/sign-in'))).toBe(2)
      expect(await store.length()).toBe(1)
      expect(await countWrites(() => browser.post('/sign-out'))).toBe(1)
      expect(await store.length()).toBe(0)
    })

    it('a sign-out clears the cookie as it was set, and what the browser keeps', async () => {
      const { origin, open } = await openSite(host, openInMemory())
      const browser = open()
      await browser.post('/sign-in')
      const { headers, cookies } = await send(`${origin}/sign-out`, {
        method: 'POST',
        headers: { cookie: browser.cookieFor(origin) },
      })
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'clear-site-data': '"cache", "storage"' })
      expect(cookies).toEqual([
        `${SID}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`,
      ])
      // Of somebody who has no session, it is no error.
      expect((await send(`${origin}/sign-out`, { method: 'POST' })).status).toBe(200)
    })
  })
}

/** Declares the rules that need a database. */
export function declareSignInOn(host: Host, databases?: readonly DatabaseId[]): void {
  describeOnDatabases(
    `sign-in and sign-out on ${host.name}`,
    (makePlace) => {
      it('only what is kept goes along, and nothing that belongs to the session itself', async () => {
        const store = openForTest(makePlace())
        const listener = await host.open({
          store,
          routes: {
            'POST /plant': ({ session }) =>
              void Object.assign(session, { cart: ['book'], role: 'admin', signedInAt: 1 }),
            'POST /sign-in': ({ signIn }) =>
              signIn({ userId: 'ada' }, { keep: ['cart', 'signedInAt', 'cookie', '__proto__', 'missing'] }),
          },
        })
        const browser = openBrowser(await serve(listener))
        await browser.post('/plant')
        await browser.post('/sign-in')
        const { sessions } = await store.list({ user: 'ada' })
        expect(sessions[0]!.session).toEqual({
          cookie: expect.anything(),
          cart: ['book'],
          userId: 'ada',
          signedInAt: expect.any(Number),
        })
        expect(sessions[0]!.session.signedInAt).toBeGreaterThan(1)
      })

      it('what another request saved while the sign-in ran is kept, and what the sign-in itself changed, too', async () => {
        const { state, open, show } = await openSite(host, openForTest(makePlace()))
        const browser = open()
        await browser.post('/cart?item=book')
        state.isSlow = new Gate()
        const signingIn = browser.post('/sign-in?slow=1')
        await state.isSlow.entered.promise
        await browser.copy().post('/cart?item=lamp')
        state.isSlow.released.resolve()
        await signingIn
        expect(await show(browser)).toEqual({ user: 'ada', cart: ['book', 'lamp'] })
        await browser.post('/sign-in?item=pen')
        expect(await show(browser)).toEqual({ user: 'ada', cart: ['book', 'lamp', 'pen'] })
      })

      it('a request in flight during a sign-out signs nobody in again', async () => {
        const store = openForTest(makePlace())
        const { state, origin, open } = await openSite(host, store)
        const browser = open()
        await browser.post('/sign-in')
        const cookie = browser.cookieFor(origin)
        state.gate = new Gate()
        const slow = send(`${origin}/cart?slow=1&item=book`, { method: 'POST', headers: { cookie } })
        await state.gate.entered.promise
        await browser.post('/sign-out')
        state.gate.released.resolve()
        await slow
        expect(JSON.parse((await send(origin, { headers: { cookie } })).body)).toEqual({
          user: null,
          cart: [],
        })
        expect(await store.length()).toBe(0)
      })

      it('two sign-ins at once both succeed, and the browser is signed in', async () => {
        const store = openForTest(makePlace())
        const { open, show } = await openSite(host, store)
        const browser = open()
        await browser.post('/cart?item=book')
        const answers = await Promise.all([browser.post('/sign-in'), browser.post('/sign-in')])
        expect(answers.map(({ status }) => status)).toEqual([200, 200])
        expect(await show(browser)).toMatchObject({ user: 'ada' })
      })

      it('a sign-out everywhere ends all sessions of the user, and no others', async () => {
        const store = openForTest(makePlace())
        const { open, show } = await openSite(host, store)
        const [one, two, other] = [open(), open(), open()]
        for (const browser of [one, two]) await browser.post('/sign-in')
        await other.post('/sign-in?user=eve')
        await one.post('/sign-out-everywhere')
        for (const browser of [one, two]) expect(await show(browser)).toMatchObject({ user: null })
        expect(await show(other)).toMatchObject({ user: 'eve' })
        expect(await store.length()).toBe(1)
      })
    },
    databases,
  )
}

function declareFailures(host: Host): void {
  describe(`while the store fails, on ${host.name}`, () => {
    function openFailing() {
      const driver = memoryDriver()
      const state = { failsAfter: Number.POSITIVE_INFINITY }
      const store = new SessionStore(
        {
          ...driver,
          write(writes, now) {
            if (state.failsAfter-- <= 0) throw new SessionStoreError('UNAVAILABLE', 'of the test')
            return driver.write(writes, now)
          },
        },
        { user: (session) => session.userId, pruneInterval: false },
      )
      return { state, store }
    }

    it.each([0, 1])('after %i writes, a sign-in loses nothing and can be repeated', async (writes) => {
      const { state, store } = openFailing()
      const { origin, open, show } = await openSite(host, store)
      const browser = open()
      await browser.post('/cart?item=book')
      state.failsAfter = writes
      const cookie = browser.cookieFor(origin)
      const failed = await send(`${origin}/sign-in`, { method: 'POST', headers: { cookie } })
      expect([failed.status, JSON.parse(failed.body), failed.cookies]).toEqual([
        503,
        { code: 'UNAVAILABLE' },
        [],
      ])
      state.failsAfter = Number.POSITIVE_INFINITY
      expect(await show(browser)).toEqual({ user: null, cart: ['book'] })
      await browser.post('/sign-in')
      expect(await show(browser)).toEqual({ user: 'ada', cart: ['book'] })
    })

    it('a sign-out fails, and neither clears the cookie nor says that it worked', async () => {
      const { state, store } = openFailing()
      const { origin, open, show } = await openSite(host, store)
      const browser = open()
      await browser.post('/sign-in')
      for (const path of ['/sign-out', '/sign-out-everywhere']) {
        state.failsAfter = 0
        const failed = await send(origin + path, {
          method: 'POST',
          headers: { cookie: browser.cookieFor(origin) },
        })
        expect([failed.status, failed.cookies, failed.headers['clear-site-data']]).toEqual([
          503,
          [],
          undefined,
        ])
        state.failsAfter = Number.POSITIVE_INFINITY
        expect(await show(browser)).toMatchObject({ user: 'ada' })
      }
    })
  })
}
