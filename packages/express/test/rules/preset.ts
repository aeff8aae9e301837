import express from 'express'
import session from 'express-session'
import { describe, expect, it, onTestFinished, test, vi } from 'vitest'
import { openFailing, openInMemory } from '../../../token/test/support/databases.ts'
import type { SessionsOptions } from '../../src/index.ts'
import type { Host, Site } from '../support/host.ts'
import { openBrowser, SECRET, SID, send, serve as serveApp } from '../support/site.ts'

const other = 'aQ8ZpR3wYt6UeNs1VxCb7MkJ4hGfD2Lo'

interface OpenOptions extends Partial<SessionsOptions> {
  trustsProxy?: boolean
  leavesErrors?: boolean
}

/** Declares the rules of `sessions` under a framework. */
export function declarePreset(host: Host): void {
  declareSecrets(host)
  describe(`on ${host.name}, the preset`, () => {
    function openApp({ trustsProxy = true, leavesErrors = false, ...preset }: OpenOptions = {}) {
      const store = preset.store ?? openInMemory()
      const routes: Site['routes'] = {
        'GET /': ({ session }) => ({ user: session.userId ?? null }),
        'POST /sign-in': ({ signIn }) => signIn({ userId: 'ada' }),
        'POST /cart': ({ session }) => {
          session.cart = ['book']
        },
      }
      const serve = async () =>
        serveApp(await host.open({ store, preset, trustsProxy, leavesErrors, routes }))
      return { store, serve }
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
      expect(JSON.parse((await send(`${origin}/`, { headers: { cookie: cookie! } })).body)).toEqual({
        user: 'ada',
      })
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
      const failing = await openApp({ store, trustsProxy: false, leavesErrors: true }).serve()
      const lost = await send(`${failing}/cart`, { method: 'POST' })
      expect([lost.status, lost.cookies]).toEqual([500, []])
      expect(lost.body).toContain(host.trustProxy)
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
      const before = express()
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
      expect(JSON.parse((await send(`${origin}/`, { headers: { cookie: `${SID}=${value}` } })).body)).toEqual(
        {
          user: 'ada',
        },
      )
      const forged = await send(`${origin}/`, { headers: { cookie: `connect.sid=${value.slice(0, -3)}AAA` } })
      expect([JSON.parse(forged.body), forged.cookies]).toEqual([{ user: null }, []])
    })

    it('answers with 503 while the store is down, and leaves the cookie', async () => {
      const { state, store } = openFailing()
      const origin = await openApp({ store }).serve()
      const browser = openBrowser(origin)
      await browser.post('/sign-in')
      state.isDown = true
      const { status, headers, cookies } = await send(`${origin}/`, {
        headers: { cookie: browser.cookieFor(origin) },
      })
      expect([status, headers['retry-after'], cookies]).toEqual([503, '1', []])
    })
  })
}

/** Declares the rule of several secrets under a framework. */
function declareSecrets(host: Host): void {
  test(`another secret than the first one is read on ${host.name}, and does not sign`, async () => {
    const shared = openInMemory()
    const make = async (secret: string | string[]) =>
      serveApp(
        await host.open({
          store: shared,
          preset: { secret },
          routes: {
            'GET /': ({ session }) => ({ user: session.userId ?? null }),
            'POST /sign-in': ({ signIn }) => signIn({ userId: 'ada' }),
          },
        }),
      )
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
}
