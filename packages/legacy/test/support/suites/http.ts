/// <reference path="../../../../express/test/support/express-4.d.ts" />
import { sessions, signOut } from '@session-stores/express'
import express, { type Express } from 'express'
import session, { type Store } from 'express-session'
import { expect, it } from 'vitest'
import { handle, SECRET, SID, send, serve } from '../../../../express/test/support/site.ts'
import type { Suite } from '../describe.ts'
import { takeOver } from '../places.ts'

/** What an application with express-session looks like, whatever its store is. */
function makeApp(store: Store, name?: string): Express {
  const app = express()
  app.use(
    session({
      store,
      secret: SECRET,
      name,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 3_600_000 },
    }),
  )
  app.get('/sign-in', (req, res) => {
    req.session.user = 'ann'
    res.end()
  })
  app.get('/', (req, res) => void res.json(req.session.user ?? null))
  return app
}

/** Returns the cookie that the answer sets, as a browser sends it back. */
const cookieOf = ({ cookies }: { cookies: string[] }): string => cookies[0]!.split(';')[0]!

export const httpSuite: Suite = (makeSite, format) => {
  // What is in the row makes no difference to the cookie.
  if (/documents|kruptein|webcrypto/.test(format)) return

  it('keeps everybody signed in, with the old cookie and under a new name', async () => {
    const { old, open } = await makeSite()
    const before = await serve(makeApp(old.store))
    const [first, second] = [await send(`${before}/sign-in`), await send(`${before}/sign-in`)].map(cookieOf)
    const store = await open(takeOver(old))
    // The same middleware with the new store.
    const after = await serve(makeApp(store))
    expect((await send(after, { headers: { cookie: first! } })).body).toBe('"ann"')
    expect((await send(before, { headers: { cookie: first! } })).body).toBe('null')

    const app = express()
    app.set('trust proxy', 'loopback')
    app.use(sessions({ store, secret: SECRET, readAlso: ['connect.sid'] }))
    app.get('/', (req, res) => void res.json(req.session.user ?? null))
    app.post(
      '/sign-out',
      handle((req, res) => signOut(req, res)),
    )
    const preset = await serve(app)
    const answer = await send(preset, { headers: { cookie: second! } })
    expect(answer.body).toBe('"ann"')
    const renamed = cookieOf(answer)
    expect(renamed).toMatch(new RegExp(`^${SID}=s%3A`))
    expect((await send(preset, { headers: { cookie: renamed } })).body).toBe('"ann"')
    expect((await store.list({ user: 'ann' })).sessions).toHaveLength(2)

    expect((await send(`${preset}/sign-out`, { method: 'POST', headers: { cookie: renamed } })).status).toBe(
      200,
    )
    for (const cookie of [renamed, second!])
      expect((await send(preset, { headers: { cookie } })).body).toBe('null')
    // What is stored is no cookie, even if somebody could sign it.
    const { sign } = await import('node:crypto').then(({ createHmac }) => ({
      sign: (id: string) =>
        `s:${id}.${createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')}`,
    }))
    const [key] = await store.ids()
    const forged = `connect.sid=${encodeURIComponent(sign(key!))}`
    expect((await send(after, { headers: { cookie: forged } })).body).toBe('null')
    expect((await send(preset, { headers: { cookie: forged } })).body).toBe('null')
  })
}
