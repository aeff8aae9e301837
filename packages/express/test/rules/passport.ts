import type { SessionStore } from '@session-stores/core'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeOnDatabases, openForTest, openInMemory } from '../../../token/test/support/databases.ts'
import type { LoginState, PassportHost } from '../support/passport-host.ts'
import { countWrites, Gate, openBrowser, SID, send, serve } from '../support/site.ts'

async function openSite(host: PassportHost, store: SessionStore, keep?: string[]) {
  const state: LoginState = { serializes: true }
  const origin = await serve(await host.open({ store, state, ...(keep && { keep }) }))
  const browser = openBrowser(origin)
  const show = async (by = browser) => JSON.parse((await by.get('/')).body)
  const logIn = (path = '/login', username = 'ada', password = 'right') =>
    browser.post(path, { username, password })
  return { state, origin, browser, show, logIn, open: () => openBrowser(origin) }
}

/** Declares the rules of logins by a passport. */
export function declarePassport(host: PassportHost): void {
  describe(`Passport on ${host.name}`, () => {
    const ofPassport = { user: host.userOf }

    it('logs in by one write and out by one, and leaves neither a row nor a cookie', async () => {
      const store = openInMemory(ofPassport)
      const { origin, browser, show, logIn } = await openSite(host, store)
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
      const { logIn } = await openSite(host, openInMemory(ofPassport))
      for (let i = 0; i < 20; i++) expect(JSON.parse((await logIn()).body)).toEqual({ user: 'ada', cart: [] })
    })

    it("logs in and out under the fake timers of an application's tests", async () => {
      const { browser, show, logIn } = await openSite(host, openInMemory(ofPassport))
      vi.useFakeTimers()
      onTestFinished(() => void vi.useRealTimers())
      expect(JSON.parse((await logIn()).body)).toEqual({ user: 'ada', cart: [] })
      await browser.post('/logout')
      expect(await show()).toEqual({ user: null, cart: [] })
    })

    it('a login that fails changes nothing for who is logged in', async () => {
      const store = openInMemory(ofPassport)
      const { show, logIn } = await openSite(host, store)
      expect((await logIn('/login', 'ada', 'wrong')).status).toBe(401)
      await logIn()
      expect((await logIn('/login', 'eve', 'wrong')).status).toBe(401)
      expect(await show()).toEqual({ user: 'ada', cart: [] })
    })

    it('what an application says after the logout is stored', async () => {
      const store = openInMemory(ofPassport)
      const { logIn, browser } = await openSite(host, store)
      await logIn()
      await browser.post('/logout-saying')
      const { sessions } = await store.list()
      expect(sessions.map(({ session }) => [session.messages, host.userOf(session)])).toEqual([
        [['Bye.'], undefined],
      ])
      expect(browser.cookies.get(SID)).not.toBe('')
    })
  })
}

/** Declares the rules of logins that need a database. */
export function declarePassportOn(host: PassportHost, databases?: readonly DatabaseId[]): void {
  const ofPassport = { user: host.userOf }
  describeOnDatabases(
    `Passport on ${host.name}`,
    (makePlace) => {
      it('a login keeps what it is told to, and a logout, too', async () => {
        const { browser, show, logIn, open } = await openSite(host, openForTest(makePlace(), ofPassport), [
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
        const { browser, show, logIn } = await openSite(host, store)
        for (let i = 0; i < 8; i++) await logIn('/login', 'ada', 'wrong')
        await browser.post('/cart?item=book')
        await logIn('/login-keeping')
        const [{ session } = { session: undefined }] = (await store.list({ user: 'ada' })).sessions
        expect(session).toMatchObject({ cart: ['book'], role: 'planted' })
        expect(host.userOf(session!)).toBe('ada')
        // Passport adds a message for each failure, without end.
        expect(session!.messages!.length).toBeLessThanOrEqual(5)
        if (!host.keepsOnLogout) return
        await browser.post('/logout-keeping')
        expect(await show()).toEqual({ user: null, cart: ['book'] })
        expect((await store.list()).sessions.map(({ session }) => host.userOf(session))).toEqual([undefined])
        expect((await store.list()).sessions.map((listed) => listed.session.signedInAt)).toEqual([undefined])
      })

      it('a user that cannot be serialized loses nothing', async () => {
        const store = openForTest(makePlace(), ofPassport)
        const { state, browser, show, logIn } = await openSite(host, store, ['cart'])
        await browser.post('/cart?item=book')
        state.serializes = false
        expect((await logIn()).status).toBe(500)
        state.serializes = true
        expect(await show()).toEqual({ user: null, cart: ['book'] })
        await logIn()
        expect(await show()).toEqual({ user: 'ada', cart: ['book'] })
      })

      it('two logins at once both succeed, and the browser is logged in', async () => {
        const { browser, show, logIn } = await openSite(host, openForTest(makePlace(), ofPassport))
        await browser.post('/cart?item=book')
        expect((await Promise.all([logIn(), logIn()])).map(({ status }) => status)).toEqual([200, 200])
        expect(await show()).toMatchObject({ user: 'ada' })
      })

      it.each(['/login', '/logout'])(
        'a request in flight during %s logs nobody in or out again',
        async (path) => {
          const store = openForTest(makePlace(), ofPassport)
          const { state, origin, browser, show, logIn } = await openSite(host, store)
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
    },
    databases,
  )
}
