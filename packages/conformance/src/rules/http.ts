import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { done, expectSession, idOf, nothing, put, tab, withSite } from '../sites/express.ts'
import { README } from './shared.ts'

/**
 * Makes a gate: requests wait at `pass` until `open` is called. `arrived` fulfils with the first.
 */
function makeGate() {
  const [arrived, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const pass = (): Promise<void> => {
    arrived.resolve()
    return opened.promise
  }
  return { arrived: arrived.promise, open: opened.resolve, pass }
}

/** Rules about what a browser sees of the store, with the real middleware over HTTP. */
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
        await expectSession(browser, { name: 'Ada', list: [1, { a: null }] })
        await browser.request((req) => void delete req.session.list)
        await expectSession(browser, { name: 'Ada', list: undefined })
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
          await expectSession(there, { name: 'Ada' })
          await there.request(put({ visits: 2 }))
          await expectSession(here, { name: 'Ada', visits: 2 })
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
        await expectSession(browser, { name: undefined })
        await browser.request(put({ name: 'Bob' }))
        assert.notEqual(await idOf(browser), before)
        await expectSession(browser, { name: 'Bob' })
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
        await expectSession(browser, { name: undefined })
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
        await expectSession(browser, { name: undefined })
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
        await expectSession(browser, { name: 'Ada' })
        await expectSession(thief, { name: undefined, visits: undefined })
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
    id: 'http/every-request-of-a-burst-is-answered',
    title: '50 requests of one session at once are all answered, with the session',
    level: 'must',
    why: 'A page with many parts comes up half.',
    check: ({ store }) =>
      withSite(store.raw, { resave: true }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const tabs = Array.from({ length: 50 }, () => tab(app, browser))
        await Promise.all(tabs.map((one) => expectSession(one, { name: 'Ada' })))
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
        const { open, pass } = makeGate()
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
        await expectSession(browser, kept)
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
        const { arrived, open, pass } = makeGate()
        const slow = browser.request(async (req) => {
          await pass()
          req.session.late = true
        })
        await arrived
        const quick = tab(app, browser)
        await quick.request((req) => done((callback) => req.session.destroy(callback)))
        open()
        await slow
        await expectSession(quick, { name: undefined })
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
        await expectSession(browser, { name: 'Ada' })
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
        assert.ok(status === 500 || status === 200, `the status is ${status}`)
      }),
  },
]
