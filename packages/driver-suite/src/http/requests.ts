import assert from 'node:assert/strict'
import { dataOf, done, idOf, nothing, put, withApp } from '@session-stores/conformance/sites'
import session from 'express-session'
import { prefixRules, recordErrors, type StoreRule } from '../policy/fixture.ts'
import { makePlain } from '../policy/sessions.ts'

/** Rules about what users of express-session see. */

const rule = prefixRules('http/requests')
export const requests: StoreRule[] = [
  rule('a-visitor-without-a-session-leaves-none', 'Every robot leaves a row in the database.', ({ open }) => {
    const store = open()
    return withApp(store, {}, async (app) => {
      const { cookie } = await app.browser().request(nothing)
      assert.equal(cookie, undefined)
      assert.equal(await store.length(), 0)
    })
  }),
  rule('saveUninitialized-keeps-every-session', 'An option of express-session does nothing.', ({ open }) => {
    const store = open()
    return withApp(store, { saveUninitialized: true }, async (app) => {
      const { cookie } = await app.browser().request(nothing)
      assert.ok(cookie)
      assert.equal(await app.calls(), 'set')
      assert.equal(await store.length(), 1)
    })
  }),
  rule(
    'save-tells-of-a-conflict',
    'Whoever must know of a conflict does not learn of it.',
    ({ open, openOther }) => {
      const store = open({ onConflict: 'error' })
      return withApp(store, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ stock: 1 }))
        const id = await idOf(browser)
        const { body } = await browser.request(async (req, res) => {
          await openOther().set(id, makePlain({ stock: 0 }))
          req.session.stock = 2
          const failure = await done((callback) => req.session.save(callback)).catch((error) => error)
          res.end(failure?.code)
        })
        assert.equal(body, 'CONFLICT')
        assert.deepEqual(await dataOf(browser), { stock: 0 })
      })
    },
  ),
  rule('reload-reads-what-others-saved', 'A long request works on an old session.', ({ open, openOther }) => {
    const store = open({ onConflict: 'error' })
    return withApp(store, {}, async (app) => {
      const browser = app.browser()
      await browser.request(put({ stock: 1 }))
      const id = await idOf(browser)
      await browser.request(async (req) => {
        await openOther().set(id, makePlain({ stock: 0 }))
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
    ({ open, openOther }) =>
      withApp(open(), {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const id = await idOf(browser)
        const { body } = await browser.request(async (req, res) => {
          await openOther().destroy(id)
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
    ({ open }) => {
      const store = open()
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
    ({ open, drivers: [driver], clock }) => {
      const store = open()
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
    async ({ open }) => {
      const warnings = await recordErrors('warning', async () => {
        const store = open()
        for (let i = 0; i < 12; i++)
          session({ store, secret: 'a secret', resave: false, saveUninitialized: false })
      })
      assert.deepEqual(warnings, [])
    },
  ),
]
