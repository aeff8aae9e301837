import { Browser } from '@session-stores/testbed/browser'
import { allowInsecureRequests, discovery } from 'openid-client'
import { Strategy } from 'openid-client/passport'
import { Passport } from 'passport'
import { expect, it } from 'vitest'
import { openApp } from '../src/app.ts'
import { openProvider, USER } from '../src/provider.ts'
import { describeOnStores, type MakeStore } from '../src/stores.ts'

async function startFlow(makeStore: MakeStore) {
  const store = makeStore()
  const { app, origin } = await openApp(store)
  const { issuer, clientId, clientSecret } = await openProvider({ app: origin })
  const config = await discovery(new URL(issuer), clientId, clientSecret, undefined, {
    execute: [allowInsecureRequests],
  })
  const passport = new Passport()
  passport.serializeUser((user, done) => done(null, (user as { name: string }).name))
  passport.deserializeUser((name: string, done) => done(null, { name }))
  passport.use(
    'openid',
    new Strategy({ config, scope: 'openid', callbackURL: `${origin}/callback` }, (tokens, done) => {
      done(null, { name: tokens.claims()!.sub })
    }),
  )
  app.use(passport.session())
  app.get('/', (req, res) => {
    const { cart = [] } = req.session
    res.json({ user: (req.user as { name?: string } | undefined)?.name, cart })
  })
  app.post('/cart', (req, res) => {
    req.session.cart = [req.body.item]
    res.end()
  })
  app.get('/login', passport.authenticate('openid'))
  app.get('/callback', passport.authenticate('openid', { successRedirect: '/', keepSessionInfo: true }))
  app.post('/logout', (req, res, next) => {
    req.logOut((error) => (error ? next(error) : res.redirect('/')))
  })
  return { store, origin, issuer, browser: new Browser() }
}

describeOnStores('the Passport strategy of openid-client', (makeStore) => {
  it('signs in with the state that it kept in the session, and signs out', async () => {
    const { store, origin, browser } = await startFlow(makeStore)
    await browser.post(`${origin}/cart`, { item: 'a book' })
    const before = browser.copy()
    const { body } = await browser.get(`${origin}/login`)
    expect(JSON.parse(body)).toEqual({ user: USER, cart: ['a book'] })
    expect(JSON.parse((await before.get(origin)).body)).toEqual({ cart: [] })
    const after = browser.copy()
    expect(JSON.parse((await browser.post(`${origin}/logout`)).body)).toEqual({ cart: [] })
    expect(JSON.parse((await after.get(origin)).body)).toEqual({ cart: [] })
    for (const { session } of (await store.list()).sessions)
      expect(session).not.toHaveProperty('passport.user')
  })

  it('accepts each answer of the provider once', async () => {
    const { store, origin, issuer, browser } = await startFlow(makeStore)
    await browser.get(`${origin}/login`)
    const { session } = (await store.list()).sessions[0]!
    // The strategy removes the data that it kept for the answer.
    expect(session).not.toHaveProperty(new URL(issuer).host)
    expect((await browser.get(`${origin}/callback?code=another`)).status).toBe(401)
    expect(JSON.parse((await browser.get(origin)).body)).toMatchObject({ user: USER })
  })
})
