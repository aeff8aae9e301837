import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { Request } from 'express'
import type { Rule } from '../engine/rule.ts'
import { type Browser, dataOf, done, idOf, nothing, put, type Site, withSite } from '../sites/express.ts'

/** What a visitor sees of the store: Express and the real middleware, over HTTP. */

const README = 'https://github.com/expressjs/session#session-store-implementation'

/** Another browser with the same cookie. */
function tab(app: Site, { cookie }: Browser): Browser {
  return Object.assign(app.browser(), { cookie })
}

/** The browser's session holds this, and nothing where `undefined` is given. What a store adds is another rule's. */
async function holds(browser: Browser, expected: Record<string, unknown>, message?: string): Promise<void> {
  const found = (await dataOf(browser)) as Record<string, unknown>
  const named = Object.keys(expected).map((key) => [key, found[key]])
  assert.deepEqual(Object.fromEntries(named), expected, message)
}

/**
 * Makes a request that changes its session, and returns the `originalMaxAge` with which that was saved: express-session
 * works it out once more at the end of the request, and may find a millisecond less.
 */
async function givenMaxAge(browser: Browser, change: (request: Request) => void): Promise<unknown> {
  let session: Request['session'] | undefined
  await browser.request((req) => {
    change(req)
    session = req.session
  })
  return session!.cookie.originalMaxAge
}

const nobody = { name: undefined }

/** Holds a request until the test lets it go on. */
function gate() {
  const [arrived, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const pass = (): Promise<void> => {
    arrived.resolve()
    return opened.promise
  }
  return { arrived: arrived.promise, open: opened.resolve, pass }
}

export const http: readonly Rule[] = [
  {
    id: 'http/keeps-the-session',
    title: 'what a request puts into its session is there at the next, and what it deletes is not',
    level: 'must',
    why: 'Nobody stays logged in.',
    source: README,
    check: ({ store }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada', list: [1, { a: null }] }))
        await holds(browser, { name: 'Ada', list: [1, { a: null }] })
        await browser.request((req) => void delete req.session.list)
        await holds(browser, { name: 'Ada', list: undefined })
      }),
  },
  {
    id: 'http/in-every-process',
    title: 'a session made by one process is there in the next',
    level: 'must',
    why: 'Behind a load balancer a user is logged in at one server and not at the other.',
    needs: ['second'],
    check: ({ store, second }) =>
      withSite(store.raw, {}, (app) =>
        withSite(second.raw, {}, async (other) => {
          const here = app.browser()
          await here.request(put({ name: 'Ada' }))
          const there = tab(other, here)
          await holds(there, { name: 'Ada' })
          await there.request(put({ visits: 2 }))
          await holds(here, { name: 'Ada', visits: 2 })
        }),
      ),
  },
  {
    id: 'http/a-lost-session-is-a-new-visit',
    title: 'a cookie whose session is not in the store starts a new session',
    level: 'must',
    why: 'After the sessions were cleared, every old cookie gets an error page.',
    source: README,
    check: ({ store }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const before = await idOf(browser)
        await store.destroy(before)
        await holds(browser, nobody)
        await browser.request(put({ name: 'Bob' }))
        assert.notEqual(await idOf(browser), before)
        await holds(browser, { name: 'Bob' })
      }),
  },
  {
    id: 'http/destroy-logs-out',
    title: 'after `req.session.destroy` the cookie opens nothing',
    level: 'must',
    why: 'Who has logged out is still logged in.',
    source: README,
    check: ({ store }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        await browser.request((req) => done((callback) => req.session.destroy(callback)))
        await holds(browser, nobody)
      }),
  },
  {
    id: 'http/unset-destroys',
    title: 'with `unset: "destroy"`, a request that sets `req.session = null` ends the session',
    level: 'must',
    why: 'An option of express-session that logs out does nothing.',
    source: 'https://github.com/expressjs/session#unset',
    check: ({ store }) =>
      withSite(store.raw, { unset: 'destroy' }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        await browser.request((req) => {
          ;(req as { session: unknown }).session = null
        })
        await holds(browser, nobody)
      }),
  },
  {
    id: 'http/regenerate-changes-the-id',
    title: 'after `req.session.regenerate` the old cookie opens nothing and the new one does',
    level: 'must',
    why: 'Whoever planted an id in a browser before the login is logged in with its user.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html',
    check: ({ store }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ visits: 1 }))
        const thief = tab(app, browser)
        const before = await idOf(browser)
        await browser.request(async (req) => {
          await done((callback) => req.session.regenerate(callback))
          req.session.name = 'Ada'
        })
        assert.notEqual(await idOf(browser), before)
        await holds(browser, { name: 'Ada' })
        await holds(thief, { name: undefined, visits: undefined })
      }),
  },
  {
    id: 'http/save-then-redirect',
    title: 'once `req.session.save` called back, the next request reads what was saved',
    level: 'must',
    why: 'The page after the login says that one must log in.',
    source: 'https://github.com/expressjs/session#sessionsavecallback',
    needs: ['second'],
    check: ({ store, second }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        const { body } = await browser.request(async (req, res) => {
          req.session.name = 'Ada'
          await done((callback) => req.session.save(callback))
          const found = await second.data(req.sessionID)
          res.end(String(found?.name))
        })
        assert.equal(body, 'Ada')
      }),
  },
  {
    id: 'http/reload-reads-what-others-saved',
    title: '`req.session.reload` reads what another request saved meanwhile',
    level: 'must',
    why: 'A long request works on an old session, and saves it.',
    source: 'https://github.com/expressjs/session#sessionreloadcallback',
    check: ({ store }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ stock: 1 }))
        const other = tab(app, browser)
        const { body } = await browser.request(async (req, res) => {
          await other.request(put({ stock: 0 }))
          await done((callback) => req.session.reload(callback))
          res.end(String(req.session.stock))
        })
        assert.equal(body, '0')
      }),
  },
  {
    id: 'http/idle-session-ends',
    title: 'a session ends when nobody asks for it within `cookie.maxAge`',
    level: 'must',
    why: 'A stolen or forgotten cookie, sent by something that is no browser, works for ever.',
    source: 'https://github.com/expressjs/session#cookiemaxage',
    check: ({ store, pass }) =>
      withSite(store.raw, { cookie: { maxAge: 4000 } }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        await holds(browser, { name: 'Ada' })
        await pass(5500)
        await holds(browser, nobody)
      }),
  },
  {
    id: 'http/busy-session-goes-on',
    title: 'a session that is asked for all the time outlives its first deadline',
    level: 'must',
    why: 'A user who works without pause is logged out.',
    source: 'https://github.com/expressjs/session#cookiemaxage',
    methods: ['touch'],
    // The middleware goes by the machine's clock, so this waits in earnest.
    check: ({ store }) =>
      withSite(store.raw, { cookie: { maxAge: 4000 }, rolling: true }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        for (let i = 0; i < 5; i++) {
          await wait(1000)
          await holds(browser, { name: 'Ada' }, `after ${i + 1} s`)
        }
      }),
  },
  {
    id: 'http/cookie-settings-survive',
    title: 'the settings of the cookie are as they were when the next request reads the session',
    level: 'must',
    why: 'The second answer sends the cookie without the attributes that protect it.',
    source: 'https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2',
    check: ({ store }) => {
      const cookie = { maxAge: 3_600_000, path: '/', domain: 'localhost', httpOnly: true } as const
      const settings = { ...cookie, sameSite: 'strict', secure: false } as const
      return withSite(store.raw, { cookie: settings, rolling: true }, async (app) => {
        const browser = app.browser()
        const { cookie: first } = await browser.request(put({ name: 'Ada' }))
        const { cookie: second } = await browser.request(put({ visits: 2 }))
        assert.ok(first && second)
        for (const name of ['path', 'domain', 'httponly', 'samesite'])
          assert.equal(second.get(name), first.get(name), name)
        assert.ok(second.has('expires'))
      })
    },
  },
  {
    id: 'http/max-age-runs-down',
    title: '`cookie.maxAge` of a session that was read is what is left, `originalMaxAge` what it was given',
    level: 'must',
    why: 'A page that tells how long the session lasts is wrong, and rolling sessions shrink or never end.',
    source: 'https://github.com/expressjs/session#cookiemaxage',
    check: ({ store }) =>
      withSite(store.raw, { cookie: { maxAge: 60_000 } }, async (app) => {
        const browser = app.browser()
        const given = await givenMaxAge(browser, ({ session }) => Object.assign(session, { name: 'Ada' }))
        const { body } = await browser.request((req, res) => {
          const { maxAge, originalMaxAge, expires } = req.session.cookie as never
          res.json({ maxAge, originalMaxAge, isDate: (expires as unknown) instanceof Date })
        })
        const { maxAge, originalMaxAge, isDate } = JSON.parse(body)
        assert.deepEqual([originalMaxAge, isDate], [given, true])
        assert.ok(maxAge > 50_000 && maxAge <= 60_000, `${maxAge} of 60000 ms are left`)
      }),
  },
  {
    id: 'http/remember-me-lasts',
    title: 'a `cookie.maxAge` that one request changed holds for the requests after it',
    level: 'should',
    why: '"Remember me" is forgotten at the next page.',
    source: 'expressjs/session#452',
    check: ({ store }) =>
      withSite(store.raw, { cookie: { maxAge: 60_000 } }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const given = await givenMaxAge(browser, ({ session: { cookie } }) => (cookie.maxAge = 7_200_000))
        const { body } = await browser.request((req, res) => {
          res.json((req.session.cookie as unknown as { originalMaxAge: number }).originalMaxAge)
        })
        assert.equal(body, String(given))
      }),
  },
  {
    id: 'http/session-cookie-is-kept',
    title: 'a session whose cookie has no deadline is kept from request to request',
    level: 'must',
    why: 'Under the default settings of express-session nobody stays logged in.',
    source: 'https://github.com/expressjs/session#cookieexpires',
    check: ({ store }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        for (let i = 0; i < 3; i++) await holds(browser, { name: 'Ada' })
        const { body } = await browser.request((req, res) => {
          res.json((req.session.cookie as unknown as { originalMaxAge: unknown }).originalMaxAge)
        })
        assert.equal(body, 'null')
      }),
  },
  {
    id: 'http/every-request-of-a-burst-is-answered',
    title: '50 requests of one session at once are all answered, with the session',
    level: 'must',
    why: 'A page with many parts comes up half.',
    check: ({ store }) =>
      withSite(store.raw, { resave: true }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const tabs = Array.from({ length: 50 }, () => tab(app, browser))
        await Promise.all(tabs.map((one) => holds(one, { name: 'Ada' })))
      }),
  },
  {
    id: 'http/requests-at-once-lose-nothing',
    title: 'requests that change different keys of one session at once keep all of the changes',
    level: 'should',
    why: 'What one tab put into the basket is lost to another.',
    source: 'expressjs/session#361',
    check: ({ store }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const { open, pass } = gate()
        let waiting = 0
        const all = Promise.withResolvers<void>()
        const requests = Array.from({ length: 5 }, (_, i) =>
          tab(app, browser).request(async (req) => {
            if (++waiting === 5) all.resolve()
            await pass()
            req.session[`key-${i}`] = i
          }),
        )
        await all.promise
        open()
        await Promise.all(requests)
        const kept = { name: 'Ada', 'key-0': 0, 'key-1': 1, 'key-2': 2, 'key-3': 3, 'key-4': 4 }
        await holds(browser, kept)
      }),
  },
  {
    id: 'http/a-slow-request-does-not-undo-a-logout',
    title: 'a request that saves after the logout does not bring the session back',
    level: 'should',
    why: 'Who has logged out is logged in again, without a word.',
    source: 'expressjs/session#632',
    check: ({ store }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const { arrived, open, pass } = gate()
        const slow = browser.request(async (req) => {
          await pass()
          req.session.late = true
        })
        await arrived
        const quick = tab(app, browser)
        await quick.request((req) => done((callback) => req.session.destroy(callback)))
        open()
        await slow
        await holds(quick, nobody)
      }),
  },
  {
    id: 'http/an-outage-is-an-error',
    title:
      'while the database is away a visitor gets an error, and neither a new session nor a request that hangs',
    level: 'should',
    why: 'An outage logs everybody out, or the application stops answering.',
    source: 'tj/connect-redis#373',
    needs: ['stop'],
    check: ({ store, backend }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        await holds(browser, { name: 'Ada' })
        const start = await backend.stop()
        try {
          const { status, cookie } = await browser.request(nothing)
          assert.deepEqual([status, cookie], [500, undefined])
        } finally {
          await start()
        }
      }),
  },
  {
    id: 'http/a-broken-session-is-no-new-visit',
    title: 'a stored session that cannot be read is an error, or a new visit, and does not hang the request',
    level: 'must',
    why: 'One bad row and its user waits for an answer that never comes.',
    needs: ['corrupt'],
    check: ({ store, backend }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        await backend.corrupt(await idOf(browser))
        const { status } = await browser.request(nothing)
        assert.ok(status === 500 || status === 200, `answers ${status}`)
      }),
  },
]
