import type { StoreOptions } from '@session-stores/core'
import { Browser } from '@session-stores/testbed/browser'
import { describe, expect, it } from 'vitest'
import { openApp, promised } from '../src/app.ts'
import { type Transport, transports } from '../src/sockets.ts'
import { describeOnStores, type MakeStore } from '../src/stores.ts'

const HOUR = 3_600_000

async function startFlow({ serve, connect }: Transport, makeStore: MakeStore, options?: StoreOptions) {
  const store = makeStore(options)
  const site = await openApp(store, { cookie: { maxAge: HOUR } })
  const { app, origin } = site
  app.post('/login', async (req, res) => {
    await promised((callback) => req.session.regenerate(callback))
    req.session.user = 'ada'
    res.end()
  })
  app.get('/', (req, res) => {
    const { cookie, ...data } = req.session
    res.json(data)
  })
  app.post('/data', (req, res) => {
    Object.assign(req.session, req.body)
    res.end()
  })
  app.post('/remember', (req, res) => {
    req.session.cookie.maxAge = 24 * HOUR
    res.end()
  })
  app.post('/logout', async (req, res) => {
    await promised((callback) => req.session.destroy(callback))
    res.end()
  })
  serve(site)
  const browser = new Browser()
  const post = (path: string, fields?: Record<string, string>) => browser.post(origin + path, fields)
  await post('/login')
  return {
    store,
    post,
    connect: () => connect(site, browser),
    show: async () => JSON.parse((await browser.get(origin)).body),
  }
}

describeOnStores('a long-lived connection', (makeStore) => {
  describe.each(transports)('of $name', (transport) => {
    it('reads the session of its handshake, and after a reload what requests saved', async () => {
      const { post, connect } = await startFlow(transport, makeStore)
      const ask = await connect()
      expect(await ask()).toEqual({ data: { user: 'ada' } })
      await post('/data', { note: 'by a request' })
      expect(await ask()).toEqual({ data: { user: 'ada' } })
      expect(await ask({ reload: true })).toEqual({ data: { user: 'ada', note: 'by a request' } })
    })

    it('saves its changes without undoing those of requests', async () => {
      const { post, connect, show } = await startFlow(transport, makeStore)
      const ask = await connect()
      for (let turn = 0; turn < 3; turn++) {
        await post('/data', { [`request-${turn}`]: 'saved' })
        await show()
        expect(await ask({ save: { [`socket-${turn}`]: 'saved' } })).not.toHaveProperty('error')
      }
      const keys = [0, 1, 2].flatMap((turn) => [`request-${turn}`, `socket-${turn}`])
      expect(await show()).toEqual({
        user: 'ada',
        ...Object.fromEntries(keys.map((key) => [key, 'saved'])),
      })
    })

    it('loses nothing when connections and requests save concurrently', async () => {
      const { post, connect, show } = await startFlow(transport, makeStore)
      const asks = await Promise.all(Array.from({ length: 5 }, connect))
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => [
          asks[i % 5]!({ save: { [`socket-${i}`]: 'saved' } }),
          post('/data', { [`request-${i}`]: 'saved' }),
        ]).flat(),
      )
      expect(Object.keys(await show())).toHaveLength(41)
    })

    it('does not shorten a deadline that a request extended', async () => {
      const { store, post, connect } = await startFlow(transport, makeStore)
      const ask = await connect()
      await post('/remember')
      const deadline = async () => (await store.list()).sessions[0]!.expiresAt
      const decided = await deadline()
      expect(decided).toBeGreaterThan(Date.now() + 23 * HOUR)
      await ask({ save: { note: 'by the connection' } })
      expect(await deadline()).toBeGreaterThanOrEqual(decided)
    })

    it.each(['/logout', '/login'])('does not revive the session that %s ended', async (path) => {
      const { store, post, connect, show } = await startFlow(transport, makeStore)
      const ask = await connect()
      await post('/data', { note: 'by a request' })
      await post(path)
      const left = await store.length()
      expect(await ask({ save: { stale: 'by the connection' } })).not.toHaveProperty('error')
      expect(await ask({ save: { stale: 'once more' } })).not.toHaveProperty('error')
      expect(await ask({ reload: true })).toEqual({ error: 'failed to load session' })
      expect(await store.length()).toBe(left)
      expect(await show()).not.toHaveProperty('stale')
    })

    it('gets an error after the logout if the store reports missing sessions', async () => {
      const { store, post, connect } = await startFlow(transport, makeStore, { onGone: 'error' })
      const ask = await connect()
      await post('/logout')
      expect(await ask({ save: { stale: 'by the connection' } })).toEqual({ error: 'GONE' })
      expect(await store.length()).toBe(0)
    })
  })
})
