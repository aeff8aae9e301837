import { Browser } from '@session-stores/testbed/browser'
import { csrfSync } from 'csrf-sync'
import { expect, it } from 'vitest'
import { openApp, promised } from '../src/app.ts'
import { describeOnStores, type MakeStore } from '../src/stores.ts'

async function startFlow(makeStore: MakeStore) {
  const { app, origin } = await openApp(makeStore())
  const { csrfSynchronisedProtection, generateToken } = csrfSync({
    getTokenFromRequest: (req) => req.body?.token,
  })
  app.get('/form', (req, res) => void res.end(generateToken(req)))
  app.get('/new-form', (req, res) => void res.end(generateToken(req, true)))
  app.post('/note', csrfSynchronisedProtection, (req, res) => {
    req.session.note = req.body.note
    res.end()
  })
  app.post('/login', csrfSynchronisedProtection, async (req, res) => {
    await promised((callback) => req.session.regenerate(callback))
    req.session.user = 'ada'
    res.end()
  })
  const browser = new Browser()
  return {
    browser,
    readToken: async (path = '/form') => (await browser.get(origin + path)).body,
    send: async (path: string, fields: Record<string, string>, by = browser) =>
      (await by.post(origin + path, fields)).status,
  }
}

describeOnStores('csrf-sync', (makeStore) => {
  it("accepts only the token of the form's own session", async () => {
    const { browser, readToken, send } = await startFlow(makeStore)
    const token = await readToken()
    expect(await readToken()).toBe(token)
    expect(await send('/note', { note: 'hello', token })).toBe(200)
    expect(await send('/note', { note: 'hello' })).toBe(403)
    expect(await send('/note', { note: 'hello', token: 'another' })).toBe(403)
    expect(await send('/note', { note: 'hello', token }, new Browser())).toBe(403)
    expect(await send('/note', { note: 'hello', token }, browser.copy())).toBe(200)
  })

  it('rejects a token from before the login', async () => {
    const { readToken, send } = await startFlow(makeStore)
    const token = await readToken()
    expect(await send('/login', { token })).toBe(200)
    expect(await send('/note', { note: 'hello', token })).toBe(403)
    expect(await send('/note', { note: 'hello', token: await readToken() })).toBe(200)
  })

  it('replaces a token on demand while other requests save', async () => {
    const { readToken, send } = await startFlow(makeStore)
    const token = await readToken()
    const [fresh, ...answers] = await Promise.all([
      readToken('/new-form'),
      ...Array.from({ length: 10 }, (_, i) => send('/note', { note: `${i}`, token })),
    ])
    // Each request arrived either before or after the new token.
    for (const status of answers) expect([200, 403]).toContain(status)
    expect(await send('/note', { note: 'hello', token })).toBe(403)
    expect(await send('/note', { note: 'hello', token: fresh })).toBe(200)
  })
})
