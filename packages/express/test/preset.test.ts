import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import express, { type Request, type Response } from 'express'
import { MemoryStore } from 'express-session'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openInMemory } from '../../token/test/support/databases.ts'
import { type SessionsOptions, sessions, signIn } from '../src/index.ts'
import { declarePreset } from './rules/preset.ts'
import { hosts } from './support/host.ts'
import { handle, SECRET, SID, send, serve, showErrors } from './support/site.ts'

for (const host of hosts) declarePreset(host)

const store = openInMemory()

test('the handshake of a WebSocket with an older cookie has its session', async () => {
  const app = express()
  app.use(sessions({ store, secret: SECRET }))
  app.post(
    '/sign-in',
    handle(async (req, res) => {
      await signIn(req, { userId: 'ada' })
      res.end()
    }),
  )
  app.set('trust proxy', 'loopback')
  const { cookies } = await send(`${await serve(app)}/sign-in`, { method: 'POST' })
  const cookie = cookies[0]!.split(';')[0]!.replace(SID, 'connect.sid')
  const handshake = Object.assign(new IncomingMessage(new Socket()), { headers: { cookie }, url: '/' })
  const middleware = sessions({ store, secret: SECRET, readAlso: ['connect.sid'] })
  // There is no answer of Express, which has methods for cookies.
  await new Promise((resolve) => {
    middleware(handshake as Request, new ServerResponse(handshake) as Response, resolve)
  })
  expect((handshake as Request).session.userId).toBe('ada')
})

describe('weak settings', () => {
  test.each([
    ['no store', { store: undefined }, /'store' is undefined/],
    ["express-session's MemoryStore", { store: new MemoryStore() }, /memoryDriver/],
    ['a store of another project', { store: { get() {}, set() {} } }, /a store of this project/],
    ['no secret', { secret: undefined }, /'secret' is undefined.*randomBytes/],
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

test('signIn without the preset says what is missing', async () => {
  const app = express()
  app.post(
    '/',
    handle((req) => signIn(req, {})),
  )
  const origin = await serve(showErrors(app))
  expect(JSON.parse((await send(origin, { method: 'POST' })).body)).toEqual({ code: 'TypeError' })
})
