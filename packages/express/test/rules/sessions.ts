import { Readable } from 'node:stream'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { describe, expect, it } from 'vitest'
import {
  describeOnDatabases,
  openFailing,
  openForTest,
  openInMemory,
} from '../../../token/test/support/databases.ts'
import type { Host, Site } from '../support/host.ts'
import { Gate, openBrowser, send, serve } from '../support/site.ts'

const TOMBSTONE_TIMEOUT = 60_000

const signInAda: Site['routes'] = {
  'GET /': ({ session }) => ({ user: session.userId ?? null }),
  'POST /sign-in': ({ signIn, query }) => signIn({ userId: `${query.user ?? 'ada'}` }),
  'POST /sign-out': ({ signOut }) => signOut(),
}

/** Declares the rules of requests with sessions that need a database. */
export function declareSessionsOn(host: Host, databases?: readonly DatabaseId[]): void {
  describeOnDatabases(
    `sessions on ${host.name}`,
    (makePlace) => {
      it('ten requests at once that set ten keys keep all ten', async () => {
        const store = openForTest(makePlace())
        let arrived = 0
        const all = Promise.withResolvers<void>()
        const listener = await host.open({
          store,
          routes: {
            ...signInAda,
            'POST /set': async ({ session, query }) => {
              if (++arrived === 10) all.resolve()
              await all.promise
              Object.assign(session, { [`key-${query.i}`]: Number(query.i) })
            },
          },
        })
        const origin = await serve(listener)
        const browser = openBrowser(origin)
        await browser.post('/sign-in')
        const headers = { cookie: browser.cookieFor(origin) }
        const numbers = Array.from({ length: 10 }, (_, i) => i)
        await Promise.all(numbers.map((i) => send(`${origin}/set?i=${i}`, { method: 'POST', headers })))
        const [listed] = (await store.list({ user: 'ada' })).sessions
        expect(listed!.session).toMatchObject(Object.fromEntries(numbers.map((i) => [`key-${i}`, i])))
      })

      it('a logout is final, past its tombstone and for a request that was running', async () => {
        const clock = { now: Date.now() }
        const store = openForTest(makePlace(), {
          now: () => clock.now,
          tombstoneTimeout: TOMBSTONE_TIMEOUT,
        })
        const gates: Gate[] = []
        const listener = await host.open({
          store,
          routes: {
            ...signInAda,
            'POST /late': async ({ session, query }) => {
              await gates[Number(query.i)]!.pass()
              Object.assign(session, { late: true })
            },
          },
        })
        const origin = await serve(listener)
        const browser = openBrowser(origin)
        await browser.post('/sign-in')
        const headers = { cookie: browser.cookieFor(origin) }
        gates.push(new Gate(), new Gate())
        const late = gates.map((_, i) => send(`${origin}/late?i=${i}`, { method: 'POST', headers }))
        await Promise.all(gates.map(({ entered }) => entered.promise))
        await browser.post('/sign-out')
        gates[0]!.released.resolve()
        expect(await late[0]).toMatchObject({ status: 200, cookies: [] })
        clock.now += 2 * TOMBSTONE_TIMEOUT
        await store.prune()
        gates[1]!.released.resolve()
        expect(await late[1]).toMatchObject({ status: 200, cookies: [] })
        expect(JSON.parse((await send(origin, { headers })).body)).toEqual({ user: null })
        expect(await store.length()).toBe(0)
      })

      it('the sessions of a user are listed, and end at the next request', async () => {
        const store = openForTest(makePlace())
        const origin = await serve(await host.open({ store, routes: signInAda }))
        const [one, two, other] = [openBrowser(origin), openBrowser(origin), openBrowser(origin)]
        for (const browser of [one, two]) await browser.post('/sign-in')
        await other.post('/sign-in?user=eve')
        const { sessions } = await store.list({ user: 'ada' })
        expect(sessions).toHaveLength(2)
        await store.revoke(sessions[0]!.handle, { user: 'ada' })
        const users = await Promise.all(
          [one, two, other].map(async (browser) => JSON.parse((await browser.get('/')).body).user),
        )
        expect(users.sort()).toEqual(['ada', 'eve', null])
      })
    },
    databases,
  )
}

/** Declares the rules of answers with sessions. */
export function declareAnswers(host: Host): void {
  describe(`on ${host.name}, an answer`, () => {
    it("sets the session's cookie beside others of the application", async () => {
      const listener = await host.open({
        store: openInMemory(),
        routes: {
          ...signInAda,
          'POST /both': async ({ setCookie, signIn }) => {
            setCookie('before', '1')
            await signIn({ userId: 'ada' })
            setCookie('after', '2')
          },
          'POST /leave': async ({ setCookie, signOut }) => {
            await signOut()
            setCookie('after', '2')
          },
        },
      })
      const origin = await serve(listener)
      const { cookies } = await send(`${origin}/both`, { method: 'POST' })
      expect(cookies.map((line) => line.split('=')[0]).sort()).toEqual(['__Host-sid', 'after', 'before'])
      const [cookie] = cookies.find((line) => line.startsWith('__Host-sid='))!.split(';')
      const left = await send(`${origin}/leave`, { method: 'POST', headers: { cookie: cookie! } })
      expect(left.cookies.map((line) => line.split(';')[0]).sort()).toEqual(['__Host-sid=', 'after=2'])
    })

    it('that is a stream has the cookie, and ends after the session was stored', async () => {
      const store = openInMemory()
      const listener = await host.open({
        store,
        routes: {
          ...signInAda,
          'POST /stream': ({ session }) => {
            session.userId = 'ada'
            return Readable.from(['one, ', 'two, ', 'three'])
          },
        },
      })
      const origin = await serve(listener)
      const { body, cookies } = await send(`${origin}/stream`, { method: 'POST' })
      expect(body).toBe('one, two, three')
      expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
      const headers = { cookie: cookies[0]!.split(';')[0]! }
      expect(JSON.parse((await send(origin, { headers })).body)).toEqual({ user: 'ada' })
    })

    it('to an error comes after the session was stored', async () => {
      const store = openInMemory()
      const listener = await host.open({
        store,
        leavesErrors: true,
        routes: {
          ...signInAda,
          'POST /fail': ({ session }) => {
            session.userId = 'ada'
            throw new Error('of the test')
          },
        },
      })
      const origin = await serve(listener)
      const { status, cookies } = await send(`${origin}/fail`, { method: 'POST' })
      expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
      const headers = { cookie: cookies[0]!.split(';')[0]! }
      expect([status, JSON.parse((await send(origin, { headers })).body)]).toEqual([500, { user: 'ada' }])
    })

    it('is 503 while the store is down, without a word of the application, and 403 to other sites', async () => {
      const { state, store } = openFailing()
      const origin = await serve(await host.open({ store, leavesErrors: true, routes: signInAda }))
      const browser = openBrowser(origin)
      await browser.post('/sign-in')
      const headers = { cookie: browser.cookieFor(origin) }
      state.isDown = true
      for (const [path, method] of [
        ['/', 'GET'],
        ['/sign-out', 'POST'],
        ['/sign-in', 'POST'],
      ] as const) {
        const sent = path === '/sign-in' ? {} : headers
        const { status, headers: received, cookies } = await send(origin + path, { method, headers: sent })
        expect([path, status, received['retry-after'], cookies]).toEqual([path, 503, '1', []])
      }
      state.isDown = false
      const elsewhere = { ...headers, 'sec-fetch-site': 'cross-site' }
      expect((await send(`${origin}/sign-out`, { method: 'POST', headers: elsewhere })).status).toBe(403)
      expect(JSON.parse((await send(origin, { headers })).body)).toEqual({ user: 'ada' })
    })

    it('over plain http sends no cookie and stores nothing', async () => {
      const store = openInMemory()
      const listener = await host.open({
        store,
        trustsProxy: false,
        routes: {
          'POST /set': ({ session }) => {
            session.userId = 'ada'
          },
        },
      })
      const { status, cookies } = await send(`${await serve(listener)}/set`, { method: 'POST' })
      expect([status, cookies, await store.length()]).toEqual([500, [], 0])
    })
  })
}
