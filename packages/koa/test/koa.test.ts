import { Readable } from 'node:stream'
import Koa, { type Middleware } from 'koa'
import { createSession } from 'koa-session'
import { describe, expect, it, test } from 'vitest'
import { openBrowser, SECRET, SID, send, serve } from '../../express/test/support/site.ts'
import { openFailing, openInMemory, tokensForTest } from '../../token/test/support/databases.ts'
import { authenticate, passportSessions, sessions, signIn, signOut, tokenRoutes } from '../src/index.ts'

/** Opens an application behind a proxy, and records what Koa would print. */
async function openApp(...middleware: Middleware[]) {
  const app = new Koa()
  app.proxy = true
  const errors: Error[] = []
  app.on('error', (error) => errors.push(error))
  for (const each of middleware) app.use(each)
  return { app, errors, origin: await serve(app.callback()) }
}

describe('sessions on Koa', () => {
  it('leaves an answer to the handler that takes it over, and stores the session before its end', async () => {
    const store = openInMemory()
    const { origin } = await openApp(sessions({ store, secret: SECRET }), (ctx) => {
      ctx.respond = false
      ctx.session.userId = 'ada'
      ctx.res.writeHead(201, { 'content-type': 'text/plain' })
      ctx.res.end('its own')
    })
    const { status, body, cookies } = await send(origin)
    expect([status, body]).toEqual([201, 'its own'])
    expect(cookies).toEqual([expect.stringMatching(/^__Host-sid=s%3A/)])
    expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
  })

  it('refuses a stream whose session would be lost, because its cookie is', async () => {
    const store = openInMemory()
    const { app, origin } = await openApp(sessions({ store, secret: SECRET }), (ctx) => {
      ctx.session.userId = 'ada'
      ctx.body = Readable.from(['a', 'b'])
    })
    app.proxy = false
    const { status, body, headers, cookies } = await send(origin)
    expect([status, cookies, headers['cache-control']]).toEqual([500, [], 'no-store'])
    expect(body).toContain('app.proxy = true')
    expect(await store.length()).toBe(0)
  })

  it('tells the application of a save that fails at the end', async () => {
    const { state, store } = openFailing()
    const { errors, origin } = await openApp(sessions({ store, secret: SECRET }), (ctx) => {
      ctx.session.userId = 'ada'
      state.isDown = true
    })
    await send(origin)
    await expect.poll(() => errors.map((error) => (error as { code?: string }).code)).toEqual(['UNAVAILABLE'])
  })

  it('shows refusals to the client, and does not log them as errors of the server', async () => {
    const { errors, origin } = await openApp(sessions({ store: openInMemory(), secret: SECRET }))
    const { status, body } = await send(origin, { headers: { cookie: `${SID}=a; ${SID}=b` } })
    expect([status, body]).toEqual([400, expect.stringMatching(/two cookies of the name/)])
    expect(errors).toMatchObject([{ code: 'AMBIGUOUS', expose: true }])
  })

  test.each<[string, (app: Koa) => Middleware[], RegExp]>([
    ['twice', () => [preset(), preset()], /sessions\(\) is mounted twice/],
    ['after koa-session', (app) => [createSession({}, app), preset()], /belongs to another middleware/],
    ['before koa-session', (app) => [preset(), createSession({}, app)], /belongs to another middleware/],
    [
      'nowhere, with signIn',
      () => [(ctx) => signIn(ctx, {})],
      /mount sessions\(\{ store, secret \}\) before/,
    ],
    ['nowhere, with signOut', () => [(ctx) => signOut(ctx)], /mount sessions\(\{ store, secret \}\) before/],
  ])('mounted %s is an error that says so', async (_name, make, message) => {
    const app = new Koa()
    app.keys = ['a secret']
    const errors: Error[] = []
    app.on('error', (error) => errors.push(error))
    for (const each of make(app)) app.use(each)
    expect((await send(await serve(app.callback()))).status).toBe(500)
    expect(errors.map((error) => error.message)).toEqual([expect.stringMatching(message)])
  })

  const preset = () => sessions({ store: openInMemory(), secret: SECRET })

  it('speaks of Koa where an option is wrong', () => {
    const make = (option: object) => () => sessions({ store: openInMemory(), secret: SECRET, ...option })
    expect(make({ proxy: true })).toThrow(/write app\.proxy = true/)
    expect(make({ unset: 'destroy' })).toThrow(/signOut\(ctx\)/)
    expect(make({ secret: 'short' })).toThrow(/'secret' takes at least 32/)
  })
})

describe('tokens on Koa', () => {
  it("takes the body from the application's own parser, where it has read it", async () => {
    const store = openInMemory()
    const tokens = tokensForTest(store)
    const { refreshToken } = await tokens.grant({ userId: 'eve' }, { client: 'cli' })
    const { origin } = await openApp(
      sessions({ store, secret: SECRET }),
      async (ctx, next) => {
        const chunks = await ctx.req.toArray()
        Object.assign(ctx.request, { body: JSON.parse(Buffer.concat(chunks).toString()) })
        await next()
      },
      tokenRoutes(tokens),
    )
    const body = { grant_type: 'refresh_token', refresh_token: refreshToken }
    expect((await send(`${origin}/token`, { method: 'POST', body })).status).toBe(200)
  })

  it('lets other paths, methods and errors pass', async () => {
    const store = openInMemory()
    const tokens = tokensForTest(store)
    const { origin } = await openApp(tokenRoutes(tokens), (ctx) => {
      ctx.body = 'of the application'
    })
    for (const [path, method] of [
      ['/token', 'GET'],
      ['/tokens', 'POST'],
      ['/.well-known/jwks.json', 'POST'],
    ] as const)
      expect((await send(origin + path, { method })).body).toBe('of the application')
    expect((await send(`${origin}/.well-known/jwks.json`, { method: 'HEAD' })).status).toBe(200)
  })

  it('authenticate hands on what it does not know', async () => {
    const tokens = tokensForTest(openInMemory())
    tokens.verify = () => Promise.reject(new RangeError('of the test'))
    const { origin, errors } = await openApp(authenticate(tokens))
    expect((await send(origin, { headers: { authorization: 'Bearer x' } })).status).toBe(500)
    expect(errors).toEqual([expect.any(RangeError)])
  })
})

test.each([[{}], [undefined], [{ _sm: {} }]])('what is no koa-passport is refused: %j', (passport) => {
  expect(() => passportSessions(passport as object)).toThrow(/koa-passport@6/)
})

test('a browser keeps its session over requests', async () => {
  const { origin } = await openApp(sessions({ store: openInMemory(), secret: SECRET }), (ctx) => {
    ctx.session.cart = [...(ctx.session.cart ?? []), 'book']
    ctx.body = ctx.session.cart
  })
  const browser = openBrowser(origin)
  await browser.get('/')
  expect(JSON.parse((await browser.get('/')).body)).toEqual(['book', 'book'])
})
