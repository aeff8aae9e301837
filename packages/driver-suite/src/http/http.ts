import assert from 'node:assert/strict'
import { dataOf, done, idOf, nothing, put, withApp } from '@session-stores/conformance/sites'
import session from 'express-session'
import { plain, quiet, ruleOf, type StoreRule } from '../policy/fixture.ts'

/** What users of express-session see. */

const rule = ruleOf('express')

/** Waits within a request, until the test lets it go on. */
function gate() {
  const [arrived, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  return {
    arrived: arrived.promise,
    open: opened.resolve,
    pass() {
      arrived.resolve()
      return opened.promise
    },
  }
}

export const http: StoreRule[] = [
  rule(
    'a-session-is-there-in-every-process',
    'A user is logged in at one server and not at the next.',
    ({ one, other }) =>
      withApp(one(), {}, (app) =>
        withApp(other(), {}, async (second) => {
          const [here, there] = [app.browser(), second.browser()]
          await here.request(put({ name: 'Ada', list: [1, { a: null }] }))
          there.cookie = here.cookie
          assert.deepEqual(await dataOf(there), { name: 'Ada', list: [1, { a: null }] })
          await there.request((req) => void delete req.session.list)
          assert.deepEqual(await dataOf(here), { name: 'Ada' })
        }),
      ),
  ),
  rule('a-visitor-without-a-session-leaves-none', 'Every robot leaves a row in the database.', ({ one }) => {
    const store = one()
    return withApp(store, {}, async (app) => {
      const { cookie } = await app.browser().request(nothing)
      assert.equal(cookie, undefined)
      assert.equal(await store.length(), 0)
    })
  }),
  rule('saveUninitialized-keeps-every-session', 'An option of express-session does nothing.', ({ one }) => {
    const store = one()
    return withApp(store, { saveUninitialized: true }, async (app) => {
      const { cookie } = await app.browser().request(nothing)
      assert.ok(cookie)
      assert.equal(await app.calls(), 'set')
      assert.equal(await store.length(), 1)
    })
  }),
  rule(
    'regenerate-changes-the-id',
    'Whoever planted an id in a browser is logged in with its user.',
    ({ one }) => {
      const store = one()
      return withApp(store, {}, async (app) => {
        const [browser, thief] = [app.browser(), app.browser()]
        await browser.request(put({ visits: 1 }))
        const before = await idOf(browser)
        thief.cookie = browser.cookie
        await browser.request(async (req) => {
          await done((callback) => req.session.regenerate(callback))
          assert.equal(req.session.visits, undefined)
          req.session.name = 'Ada'
        })
        assert.notEqual(await idOf(browser), before)
        assert.deepEqual(await dataOf(browser), { name: 'Ada' })
        assert.deepEqual(await dataOf(thief), {})
        assert.equal(await store.get(before), null)
        assert.equal(await store.length(), 1)
      })
    },
  ),
  rule(
    'a-slow-request-does-not-undo-a-logout',
    'Who has logged out is logged in again.',
    ({ one, other }) => {
      const store = one()
      return withApp(store, {}, (app) =>
        withApp(other(), {}, async (second) => {
          for (const end of ['destroy', 'regenerate'] as const) {
            const [slow, quick] = [app.browser(), second.browser()]
            await slow.request(put({ name: 'Ada' }))
            quick.cookie = slow.cookie
            const id = await idOf(slow)
            const { arrived, open, pass } = gate()
            const answer = slow.request(async (req) => {
              await pass()
              req.session.late = true
            })
            await arrived
            await quick.request((req) => done((callback) => req.session[end](callback)))
            open()
            assert.equal((await answer).body, 'the whole answer')
            assert.equal(await store.get(id), null)
            assert.deepEqual(await dataOf(slow), {})
          }
        }),
      )
    },
  ),
  rule('requests-at-once-lose-nothing', 'What one request saved is lost to another.', ({ one, other }) =>
    withApp(one(), {}, (app) =>
      withApp(other(), {}, async (second) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const { open, pass } = gate()
        let waiting = 0
        const arrived = Promise.withResolvers<void>()
        const requests = Array.from({ length: 20 }, (_, i) => {
          const tab = i % 2 ? second.browser() : app.browser()
          tab.cookie = browser.cookie
          return tab.request(async (req) => {
            if (++waiting === 20) arrived.resolve()
            await pass()
            req.session[`key-${i}`] = i
          })
        })
        await arrived.promise
        open()
        await Promise.all(requests)
        assert.deepEqual(await dataOf(browser), {
          name: 'Ada',
          ...Object.fromEntries(requests.map((_, i) => [`key-${i}`, i])),
        })
      }),
    ),
  ),
  rule(
    'save-tells-of-a-conflict',
    'Whoever must know of a conflict does not learn of it.',
    ({ one, other }) => {
      const store = one({ onConflict: 'error' })
      return withApp(store, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ stock: 1 }))
        const id = await idOf(browser)
        const { body } = await browser.request(async (req, res) => {
          await other().set(id, plain({ stock: 0 }))
          req.session.stock = 2
          const failure = await done((callback) => req.session.save(callback)).catch((error) => error)
          res.end(failure?.code)
        })
        assert.equal(body, 'CONFLICT')
        assert.deepEqual(await dataOf(browser), { stock: 0 })
      })
    },
  ),
  rule('reload-reads-what-others-saved', 'A long request works on an old session.', ({ one, other }) => {
    const store = one({ onConflict: 'error' })
    return withApp(store, {}, async (app) => {
      const browser = app.browser()
      await browser.request(put({ stock: 1 }))
      const id = await idOf(browser)
      await browser.request(async (req) => {
        await other().set(id, plain({ stock: 0 }))
        await done((callback) => req.session.reload(callback))
        assert.equal(req.session.stock, 0)
        req.session.sold = true
        await done((callback) => req.session.save(callback))
      })
      assert.deepEqual(await dataOf(browser), { stock: 0, sold: true })
    })
  }),
  rule(
    'reload-of-a-session-that-is-gone-is-an-error',
    'A request goes on after the logout.',
    ({ one, other }) =>
      withApp(one(), {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const id = await idOf(browser)
        const { body } = await browser.request(async (req, res) => {
          await other().destroy(id)
          res.end(
            String(await done((callback) => req.session.reload(callback)).catch((error) => error.message)),
          )
        })
        assert.equal(body, 'failed to load session')
      }),
  ),
  rule(
    'a-broken-store-makes-no-new-session',
    'An outage logs everybody out, or lets anonymous visitors in.',
    ({ one }) => {
      const store = one()
      return withApp(store, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        await store.close()
        const { status, body, cookie } = await browser.request(nothing)
        assert.deepEqual([status, body, cookie], [500, 'CLOSED', undefined])
      })
    },
  ),
  rule(
    'a-broken-session-makes-no-new-one',
    'A fault in the database logs users out without a word.',
    ({ one, drivers: [driver], clock }) => {
      const store = one()
      return withApp(store, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const [row] = await driver.read([store.handle(await idOf(browser))])
        await driver.write([{ ...row!, data: '{', tag: 'broken', expect: row!.tag }], clock.now)
        const { status, body, cookie } = await browser.request(nothing)
        assert.deepEqual([status, body, cookie], [500, 'CORRUPT', undefined])
      })
    },
  ),
  rule(
    'a-dozen-middlewares-on-one-store-warn-of-nothing',
    'The log warns of a leak that is none.',
    async ({ one }) => {
      const warnings: unknown[] = []
      const heard = (warning: Error) => void warnings.push(warning)
      process.on('warning', heard)
      try {
        const store = one()
        for (let i = 0; i < 12; i++)
          session({ store, secret: 'a secret', resave: false, saveUninitialized: false })
        await quiet()
      } finally {
        process.off('warning', heard)
      }
      assert.deepEqual(warnings, [])
    },
  ),
]
