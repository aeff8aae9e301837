import fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, test } from 'vitest'
import { SECRET } from '../../express/test/support/site.ts'
import { openFailing, openInMemory, tokensForTest } from '../../token/test/support/databases.ts'
import {
  passportSessions,
  type SessionsOptions,
  sessions,
  signIn,
  signOut,
  type TokenRoutesOptions,
  tokenRoutes,
} from '../src/index.ts'

const https = { 'x-forwarded-proto': 'https', 'sec-fetch-site': 'same-origin' }

async function openApp(options: Partial<SessionsOptions> = {}): Promise<FastifyInstance> {
  const app = fastify({ trustProxy: true })
  await app.register(sessions, { store: openInMemory(), secret: SECRET, ...options })
  return app
}

describe('sessions on Fastify', () => {
  it('have methods for their data', async () => {
    const store = openInMemory()
    const app = await openApp({ store })
    app.get('/', async ({ session }) => {
      session.set('userId', 'ada')
      session.set('cart', ['book'])
      session.set('more', 1)
      session.set('more', undefined)
      const data = session.data()
      return { user: session.get('userId'), none: session.get('none') ?? null, data, keys: Object.keys(data) }
    })
    const { headers, body } = await app.inject({ url: '/', headers: https })
    expect(JSON.parse(body)).toEqual({
      user: 'ada',
      none: null,
      data: { userId: 'ada', cart: ['book'] },
      keys: ['userId', 'cart'],
    })
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^__Host-sid=s%3A/)])
    expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
  })

  it('keep data that has the name of a method, and take no new one', async () => {
    const store = openInMemory()
    const app = await openApp({ store })
    app.post('/in', (request) => signIn(request, { userId: 'ada', data: ['kept'] } as object))
    app.get('/', async ({ session }) => ({ data: session.data as unknown, user: session.get('userId') }))
    app.post('/set', async ({ session }) => {
      Object.assign(session, { get: 'lost' })
    })
    const signedIn = await app.inject({ method: 'POST', url: '/in', headers: https })
    const headers = { ...https, cookie: String(signedIn.headers['set-cookie']).split(';')[0]! }
    expect((await app.inject({ url: '/', headers })).json()).toEqual({ data: ['kept'], user: 'ada' })
    const refused = await app.inject({ method: 'POST', url: '/set', headers })
    expect([refused.statusCode, refused.json().message]).toEqual([500, expect.stringContaining("'get'")])
  })

  it('are there for hooks, plugins and pages that are not found', async () => {
    const app = await openApp()
    const seen: unknown[] = []
    app.addHook('onRequest', async ({ session }) => void seen.push(typeof session.id))
    await app.register(async (scope) => {
      scope.get('/inner', async ({ session }) => ({ id: typeof session.id }))
    })
    expect((await app.inject({ url: '/inner', headers: https })).json()).toEqual({ id: 'string' })
    expect((await app.inject({ url: '/missing', headers: https })).statusCode).toBe(404)
    expect(seen).toEqual(['string', 'string'])
  })

  it('clear their cookie beside a header Set-Cookie of the application', async () => {
    const store = openInMemory()
    const app = await openApp({ store })
    app.post('/in', (request) => signIn(request, { userId: 'ada' }))
    app.post('/out', async (request, reply) => {
      await signOut(request, reply)
      return reply.header('set-cookie', 'own=1').send({})
    })
    const signedIn = await app.inject({ method: 'POST', url: '/in', headers: https })
    const cookie = String(signedIn.headers['set-cookie']).split(';')[0]!
    const { headers } = await app.inject({ method: 'POST', url: '/out', headers: { ...https, cookie } })
    expect(headers['set-cookie']).toEqual(['own=1', expect.stringMatching(/^__Host-sid=; /)])
  })

  it('log a save that fails at the end', async () => {
    const { state, store } = openFailing()
    const lines: string[] = []
    const app = fastify({ trustProxy: true, logger: { stream: { write: (line) => void lines.push(line) } } })
    await app.register(sessions, { store, secret: SECRET })
    app.get('/', async ({ session }) => {
      session.userId = 'ada'
      state.isDown = true
      return {}
    })
    await app.inject({ url: '/', headers: https })
    await expect.poll(() => lines.join('')).toContain('the session could not be stored')
    expect(lines.join('')).not.toContain('ada')
  })

  it('refuse an answer whose session would be lost, once', async () => {
    const store = openInMemory()
    const app = await openApp({ store })
    app.get('/', async ({ session }) => {
      session.userId = 'ada'
      return {}
    })
    const answer = await app.inject({ url: '/' })
    expect([answer.statusCode, answer.json().code, answer.headers['set-cookie']]).toEqual([
      500,
      'INSECURE_CONNECTION',
      undefined,
    ])
    expect(answer.body).toContain('fastify({ trustProxy: true })')
    expect(await store.length()).toBe(0)
  })

  it('are registered once', async () => {
    const app = await openApp()
    await expect(app.register(sessions, { store: openInMemory(), secret: SECRET })).rejects.toThrow(
      /sessions is registered twice/,
    )
  })

  it('are not registered beside @fastify/session', async () => {
    const other: string = '@fastify/session'
    const [{ default: cookie }, { default: session }] = [await import('@fastify/cookie'), await import(other)]
    const app = fastify()
    await app.register(cookie)
    await app.register(session, { secret: SECRET })
    await expect(app.register(sessions, { store: openInMemory(), secret: SECRET })).rejects.toThrow(
      /belongs to another plugin, such as @fastify\/session/,
    )
  })

  it.each([
    [{ proxy: true }, /write fastify\(\{ trustProxy: true \}\)/],
    [{ unset: 'destroy' }, /signOut\(request, reply\)/],
    [{ secret: 'short' }, /'secret' takes at least 32/],
    [{ store: undefined }, /'store' is undefined/],
  ])('speak of Fastify where an option is wrong: %j', async (options, message) => {
    await expect(openApp(options as object)).rejects.toThrow(message)
  })

  it.each(['signIn', 'signOut'])('that are missing for %s are an error that says so', async (name) => {
    const app = fastify()
    app.post('/', (request, reply) => (name === 'signIn' ? signIn(request, {}) : signOut(request, reply)))
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/' })
    expect([statusCode, body]).toEqual([500, expect.stringContaining('await app.register(sessions, { store')])
  })
})

describe('the routes of the tokens on Fastify', () => {
  it('take a prefix, and leave the parsers of the application alone', async () => {
    const store = openInMemory()
    const tokens = tokensForTest(store)
    const app = await openApp({ store })
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, _body, done) => done(null, 'of the application'),
    )
    await app.register(tokenRoutes, { tokens, prefix: '/auth' } as TokenRoutesOptions)
    app.post('/own', async ({ body }) => ({ body }))
    const { refreshToken } = await tokens.grant({ userId: 'eve' }, { client: 'cli' })
    const form = {
      method: 'POST',
      headers: { ...https, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }).toString(),
    } as const
    expect((await app.inject({ ...form, url: '/auth/token' })).statusCode).toBe(200)
    expect((await app.inject({ ...form, url: '/own' })).json()).toEqual({ body: 'of the application' })
    const twice = { ...form, payload: `refresh_token=other&${form.payload}` }
    expect((await app.inject({ ...twice, url: '/auth/token' })).statusCode).toBe(400)
  })

  it('need tokens', async () => {
    const app = await openApp()
    await expect(app.register(tokenRoutes, {} as TokenRoutesOptions)).rejects.toThrow(/'tokens' takes/)
  })
})

test.each([[{}], [undefined], [{ sessionManager: {} }]])(
  'what is no @fastify/passport is refused: %j',
  (passport) => {
    expect(() => passportSessions(passport as object)).toThrow(/@fastify\/passport@4/)
  },
)
