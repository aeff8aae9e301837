import type { SessionStore } from '@session-stores/core'
import { Browser } from '@session-stores/testbed/browser'
import express from 'express'
import { auth } from 'express-openid-connect'
import { describe, expect, it } from 'vitest'
import { type OpenIdProvider, openProvider, USER } from '../src/provider.ts'
import { openSite } from '../src/site.ts'
import { describeOnStores } from '../src/stores.ts'

interface Flow {
  provider: OpenIdProvider
  browser: Browser
  signIn(): Promise<void>
  /** Returns the signed-in user as the application sees it. */
  user(): Promise<string | undefined>
  /** The origin of the application. */
  origin: string
  /** Lets the request to `/slow` end. */
  release(): void
  /** Resolves when the request to `/slow` has its session. */
  arrived: Promise<void>
}

async function startFlow(sessions: SessionStore, logouts: SessionStore, withSid: boolean): Promise<Flow> {
  const { origin, serve } = await openSite()
  const provider = await openProvider({ app: origin, withSid })
  const arrived = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const app = express()
  app.set('env', 'test')
  app.use(
    auth({
      authRequired: false,
      issuerBaseURL: provider.issuer,
      baseURL: origin,
      clientID: provider.clientId,
      clientSecret: provider.clientSecret,
      secret: 'a secret of the application',
      authorizationParams: { response_type: 'code', scope: 'openid' },
      // The library's types require cookies without the `originalMaxAge` of express-session.
      session: { store: sessions as never },
      backchannelLogout: { store: logouts as never },
    }),
  )
  app.get('/', (req, res) => void res.json({ user: req.oidc.user?.sub }))
  app.get('/slow', async (req, res) => {
    Object.assign((req as unknown as { appSession: object }).appSession, { note: 'from a slow request' })
    arrived.resolve()
    await released.promise
    res.end()
  })
  serve(app)

  const browser = new Browser()
  const user = async () => JSON.parse((await browser.get(origin)).body).user
  return {
    provider,
    browser,
    user,
    origin,
    arrived: arrived.promise,
    release: released.resolve,
    async signIn() {
      const page = await browser.get(`${origin}/login`)
      expect(page).toMatchObject({ status: 200, body: JSON.stringify({ user: USER }) })
    },
  }
}

describeOnStores('express-openid-connect with back-channel logout', (makeStore) => {
  describe.each([
    ['tokens that name the user', false],
    ['tokens that name the session', true],
  ])('by %s', (_, withSid) => {
    // A logout mark may be set again at any time after its removal, see
    // docs/coming-from-another-store.md.
    const makeLogouts = () => makeStore({ tombstoneTimeout: 0 })

    it.each([
      ['a store of its own for logouts', makeLogouts],
      ['one store for sessions and logouts', undefined],
    ])('ends the session at the next request, even right after the login, with %s', async (_, make) => {
      const sessions = makeStore()
      const { provider, browser, signIn, user } = await startFlow(sessions, make?.() ?? sessions, withSid)
      await signIn()
      expect(await user()).toBe(USER)
      expect(await provider.signOut(browser)).toBe(true)
      expect(await user()).toBeUndefined()
    })

    it('ends the session of every login, however soon it follows the last logout', async () => {
      const { provider, browser, signIn, user } = await startFlow(makeStore(), makeLogouts(), withSid)
      for (let login = 0; login < 3; login++) {
        await signIn()
        expect(await user()).toBe(USER)
        expect(await provider.signOut(browser)).toBe(true)
        expect(await user()).toBeUndefined()
      }
    })

    it('is final for a request that is already running', async () => {
      const sessions = makeStore()
      const { provider, browser, signIn, user, origin, arrived, release } = await startFlow(
        sessions,
        makeLogouts(),
        withSid,
      )
      await signIn()
      const slow = browser.copy().get(`${origin}/slow`)
      await arrived
      expect(await provider.signOut(browser)).toBe(true)
      expect(await user()).toBeUndefined()
      release()
      await slow
      expect(await sessions.length()).toBe(0)
    })
  })
})
