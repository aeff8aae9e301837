import { Browser, type Page } from '@session-stores/testbed/browser'
import flash from 'connect-flash'
import { Passport } from 'passport'
import { Strategy } from 'passport-local'
import { expect, it } from 'vitest'
import { openApp } from '../src/app.ts'
import { describeOnStores, type MakeStore } from '../src/stores.ts'

const WRONG = 'The name or the password is wrong.'

async function startFlow(makeStore: MakeStore) {
  const store = makeStore({ user: (session) => (session as { passport?: { user?: string } }).passport?.user })
  const { app, origin } = await openApp(store)
  const passport = new Passport()
  passport.serializeUser((user, done) => done(null, (user as { name: string }).name))
  passport.deserializeUser((name: string, done) => done(null, { name }))
  passport.use(
    new Strategy((name, password, done) => {
      done(null, password === `the password of ${name}` && { name }, { message: WRONG })
    }),
  )
  app.use(flash(), passport.session())
  app.get('/', (req, res) => {
    const { cart = [] } = req.session
    res.json({ user: (req.user as { name?: string } | undefined)?.name, cart, errors: req.flash('error') })
  })
  app.post('/cart', (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.body.item]
    res.end()
  })
  app.post(
    '/login',
    passport.authenticate('local', {
      keepSessionInfo: true,
      failureFlash: true,
      failureRedirect: '/',
      successRedirect: '/',
    }),
  )
  app.post('/logout', (req, res, next) => {
    req.logOut({ keepSessionInfo: true }, (error) => (error ? next(error) : res.redirect('/')))
  })

  const browser = new Browser()
  return {
    store,
    browser,
    show: async (by = browser) => JSON.parse((await by.get(origin)).body),
    put: (item: string, by = browser) => by.post(`${origin}/cart`, { item }),
    signIn: (password = 'the password of ada') =>
      browser.post(`${origin}/login`, { username: 'ada', password }),
    signOut: () => browser.post(`${origin}/logout`),
  }
}

const parse = ({ body }: Page) => JSON.parse(body)

describeOnStores('Passport', (makeStore) => {
  it("keeps the session's data through a login, under a new id", async () => {
    const { store, browser, show, put, signIn } = await startFlow(makeStore)
    await put('a book')
    const before = browser.copy()
    expect(parse(await signIn())).toEqual({ user: 'ada', cart: ['a book'], errors: [] })
    await put('a lamp')
    expect(await show()).toEqual({ user: 'ada', cart: ['a book', 'a lamp'], errors: [] })
    expect(await show(before)).toEqual({ cart: [], errors: [] })
    expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
  })

  it("keeps the session's data through a logout, which ends the old id", async () => {
    const { store, browser, show, put, signIn, signOut } = await startFlow(makeStore)
    await signIn()
    await put('a book')
    const before = browser.copy()
    expect(parse(await signOut())).toEqual({ cart: ['a book'], errors: [] })
    expect(await show(before)).toEqual({ cart: [], errors: [] })
    expect((await store.list({ user: 'ada' })).sessions).toEqual([])
  })

  it('shows why a login failed, once', async () => {
    const { show, put, signIn } = await startFlow(makeStore)
    await put('a book')
    expect(parse(await signIn('a guess'))).toEqual({ cart: ['a book'], errors: [WRONG] })
    expect(await show()).toEqual({ cart: ['a book'], errors: [] })
    expect(parse(await signIn())).toEqual({ user: 'ada', cart: ['a book'], errors: [] })
  })

  it('signs in, out and in again', async () => {
    const { store, show, put, signIn, signOut } = await startFlow(makeStore)
    await put('a book')
    for (let login = 0; login < 3; login++) {
      await signIn()
      expect(await show()).toEqual({ user: 'ada', cart: ['a book'], errors: [] })
      await signOut()
      expect(await show()).toEqual({ cart: ['a book'], errors: [] })
    }
    expect(await store.length()).toBe(1)
  })
})
