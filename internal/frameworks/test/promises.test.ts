import type { PromisedSession } from '@session-stores/koa'
import { describe, expect, it } from 'vitest'
import type { Act, Visit } from '../../../packages/express/test/support/host.ts'
import { countWrites, openBrowser, SID, send, serve } from '../../../packages/express/test/support/site.ts'
import { openFailing, openInMemory } from '../../../packages/token/test/support/databases.ts'
import { sites } from '../src/sites/index.ts'

/** The session of a request under Koa and Fastify, whose methods return promises. */
const sessionOf = ({ session }: Visit): PromisedSession => session as never

describe.each(sites)('the session on $name', (host) => {
  async function openSite(act: Act, store = openInMemory()) {
    const listener = await host.open({
      store,
      leavesErrors: true,
      routes: {
        'GET /': ({ session }) => ({ user: session?.userId ?? null, cart: session?.cart ?? [] }),
        'POST /sign-in': async ({ signIn, session }) => {
          session.cart = ['book']
          await signIn({ userId: 'ada' }, { keep: ['cart'] })
        },
        'POST /act': act,
      },
    })
    const origin = await serve(listener)
    const browser = openBrowser(origin)
    const show = async (by = browser) => JSON.parse((await by.get('/')).body)
    /** Acts as the browser would, and returns how much was written and what was answered. */
    const run = async () => {
      let answer: Awaited<ReturnType<typeof send>> | undefined
      const cookie = browser.cookieFor(origin)
      const headers: Record<string, string> = cookie ? { cookie } : {}
      const writes = await countWrites(async () => {
        answer = await send(`${origin}/act`, { method: 'POST', headers })
      })
      return { ...answer!, writes }
    }
    return { store, origin, browser, show, run }
  }

  const cleared = [expect.stringMatching(/^__Host-sid=; Path=\/; Expires=Thu, 01 Jan 1970.*; Secure/)]

  it.each<[string, Act]>([
    [
      'null',
      (visit) => {
        visit.session = null as never
        return { now: visit.session }
      },
    ],
    [
      'destroy',
      async (visit) => {
        await sessionOf(visit).destroy()
        return { now: visit.session }
      },
    ],
    [
      'regenerate',
      async (visit) => {
        await sessionOf(visit).regenerate()
        return { now: null }
      },
    ],
  ])('ends by %s with one write, and its cookie is cleared', async (_name, act) => {
    const { store, browser, show, run } = await openSite(act)
    await browser.post('/sign-in')
    const { status, body, cookies, writes } = await run()
    expect([status, JSON.parse(body), writes]).toEqual([200, { now: null }, 1])
    expect(cookies).toEqual(cleared)
    expect(await show()).toEqual({ user: null, cart: [] })
    expect(await store.length()).toBe(0)
  })

  it.each<[string, Act]>([
    [
      'null',
      (visit) => {
        visit.session = null as never
      },
    ],
    ['destroy', (visit) => sessionOf(visit).destroy()],
    ['regenerate', (visit) => sessionOf(visit).regenerate()],
  ])('stays, with its cookie, where the store fails during %s', async (_name, act) => {
    const { state, store } = openFailing()
    const { browser, show, run } = await openSite((visit) => {
      state.isDown = true
      return act(visit)
    }, store)
    await browser.post('/sign-in')
    const { status, cookies } = await run()
    expect([status, cookies]).toEqual([503, []])
    state.isDown = false
    expect(await show()).toMatchObject({ user: 'ada' })
  })

  it('ended by null and then followed by an error is ended', async () => {
    const { store, browser, show, run } = await openSite((visit) => {
      visit.session = null as never
      throw new Error('of the test')
    })
    await browser.post('/sign-in')
    expect((await run()).status).toBe(500)
    expect(await show()).toMatchObject({ user: null })
    expect(await store.length()).toBe(0)
  })

  it('that could not be ended is told so, also where an error follows', async () => {
    const { state, store } = openFailing()
    const { browser, run } = await openSite((visit) => {
      state.isDown = true
      visit.session = null as never
      throw new Error('of the test')
    }, store)
    await browser.post('/sign-in')
    const { status, cookies } = await run()
    // Fastify keeps the status of the first error.
    expect([status, cookies]).toEqual([host.name.startsWith('Koa') ? 503 : 500, []])
  })

  it('gets a new id by regenerate and keeps the keys that are named, but no mark of the sign-in', async () => {
    const { store, origin, browser, show, run } = await openSite(async (visit) => {
      await sessionOf(visit).regenerate(['cart', 'cookie', 'signedInAt', 'missing'])
      Object.assign(visit.session, { more: visit.session.signedInAt ?? null })
    })
    await browser.post('/sign-in')
    const before = browser.copy()
    const { cookies } = await run()
    expect(cookies).toEqual([expect.stringMatching(/^__Host-sid=s%3A.*HttpOnly; Secure; SameSite=Lax$/)])
    browser.cookies.set(SID, cookies[0]!.split(/[=;]/)[1]!)
    expect(browser.cookieFor(origin)).not.toBe(before.cookieFor(origin))
    expect([await show(), await show(before)]).toEqual([
      { user: null, cart: ['book'] },
      { user: null, cart: [] },
    ])
    const { sessions } = await store.list()
    expect(sessions.map(({ session }) => session)).toEqual([
      { cookie: expect.anything(), cart: ['book'], more: null },
    ])
  })

  it("costs a visitor's regenerate one write, with the save", async () => {
    const { store, run } = await openSite(async (visit) => {
      await sessionOf(visit).regenerate()
      visit.session.userId = 'ada'
    })
    expect((await run()).writes).toBe(1)
    expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
  })

  it('leaves no row where a new session ends in the request that stored it', async () => {
    for (const end of ['regenerate', 'destroy'] as const) {
      const { store, run } = await openSite(async (visit) => {
        await visit.signIn({ userId: 'ada' })
        await sessionOf(visit)[end]()
      })
      expect((await run()).status).toBe(200)
      expect(await store.length()).toBe(0)
    }
  })

  it('is stored by save, and read again by reload', async () => {
    const { store, run } = await openSite(async (visit) => {
      visit.session.userId = 'ada'
      await sessionOf(visit).save()
      const [{ handle } = { handle: '' }] = (await store.list({ user: 'ada' })).sessions
      await store.update(visit.raw.sessionID, (data) => ({ ...data, cart: ['lamp'] }))
      await sessionOf(visit).reload()
      return { handle, cart: visit.session.cart }
    })
    const { body, status } = await run()
    expect([status, JSON.parse(body)]).toEqual([
      200,
      { handle: expect.stringMatching(/.{40}/), cart: ['lamp'] },
    ])
  })

  it('takes nothing but null', async () => {
    const { run } = await openSite((visit) => {
      try {
        visit.session = { userId: 'ada' } as never
      } catch (error) {
        return { message: (error as Error).message }
      }
    })
    expect(JSON.parse((await run()).body).message).toMatch(/session takes null, which ends the session/)
  })

  it('is one object for as long as it is the same session, with methods that no store sees', async () => {
    const { store, run } = await openSite((visit) => {
      visit.session.userId = 'ada'
      const { session } = visit
      const { save } = session
      return {
        same: visit.session === session && visit.session.save === save,
        keys: Object.keys(visit.session),
      }
    })
    expect(JSON.parse((await run()).body)).toEqual({ same: true, keys: ['cookie', 'userId'] })
    expect(Object.keys((await store.list()).sessions[0]!.session)).toEqual(['cookie', 'userId'])
  })
})
