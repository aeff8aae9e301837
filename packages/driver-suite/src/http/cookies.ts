import assert from 'node:assert/strict'
import { dataOf, idOf, nothing, put, withApp } from '@session-stores/conformance/sites'
import { DAY, HOUR } from '../common.ts'
import { prefixRules, type StoreRule } from '../policy/fixture.ts'
import { makePlain, readDeadline, save } from '../policy/sessions.ts'

/** Rules about the cookie of a session: its settings, and how long it and the session live. */

const rule = prefixRules('http/cookies')

/**
 * Checks that two times differ by seconds only, because express-session takes the time from the
 * machine.
 */
const assertClose = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 30_000, `${actual - expected} ms away`)

export const cookies: StoreRule[] = [
  rule(
    "the-cookie-carries-the-application's-settings",
    'The cookie can be read by scripts, or is sent to strangers.',
    ({ open }) =>
      withApp(
        open(),
        {
          cookie: {
            maxAge: HOUR,
            httpOnly: true,
            sameSite: 'strict',
            secure: true,
            path: '/',
            domain: 'example.org',
          },
          proxy: true,
        },
        async (app) => {
          const browser = app.browser()
          browser.headers = { 'x-forwarded-proto': 'https' }
          const first = (await browser.request(put({ name: 'Ada' }))).cookie
          // The second cookie is from a session that was read from the store and then changed.
          const second = (await browser.request(put({ name: 'Grace' }))).cookie
          for (const cookie of [first, second]) {
            assert.ok(cookie)
            const { expires, ...rest } = Object.fromEntries([...cookie].slice(1))
            assert.deepEqual(rest, {
              domain: 'example.org',
              path: '/',
              httponly: '',
              secure: '',
              samesite: 'Strict',
            })
            assertClose(Date.parse(expires!), Date.now() + HOUR)
          }
        },
      ),
  ),
  rule(
    'a-cookie-of-the-browser-session-stays-one',
    'A session that should end with the browser outlives it.',
    ({ open }) => {
      const store = open()
      return withApp(store, { rolling: true }, async (app) => {
        const browser = app.browser()
        for (const handler of [put({ name: 'Ada' }), nothing, put({ name: 'Grace' }), nothing]) {
          const { cookie } = await browser.request(handler)
          assert.ok(cookie && !cookie.has('expires'))
        }
      })
    },
  ),
  rule('rolling-extends-with-every-request', 'Whoever works without pause is logged out.', ({ open }) => {
    const store = open()
    return withApp(store, { rolling: true, cookie: { maxAge: DAY } }, async (app) => {
      const browser = app.browser()
      await browser.request(put({ name: 'Ada' }))
      const id = await idOf(browser)
      for (const handler of [nothing, put({ name: 'Grace' })]) {
        // Moves the deadline as if most of a day had passed.
        await store.touch(id, makePlain({}, { expires: new Date(Date.now() + HOUR) }))
        const { cookie } = await browser.request(handler)
        assertClose(Date.parse(cookie!.get('expires')!), Date.now() + DAY)
        assertClose(await readDeadline(store, id), Date.now() + DAY)
      }
    })
  }),
  rule(
    'without-rolling-the-session-is-extended-all-the-same',
    'Whoever works without pause is logged out.',
    ({ open }) => {
      const store = open()
      return withApp(store, { cookie: { maxAge: DAY } }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const id = await idOf(browser)
        await store.touch(id, makePlain({}, { expires: new Date(Date.now() + HOUR) }))
        assert.equal((await browser.request(nothing)).cookie, undefined)
        assertClose(await readDeadline(store, id), Date.now() + DAY)
      })
    },
  ),
  rule(
    'a-change-of-the-cookie-alone-lasts',
    'Remember-me is forgotten with the next request.',
    ({ open, openOther }) => {
      const store = open()
      return withApp(store, { rolling: true, cookie: { maxAge: HOUR } }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        await browser.request((req) => {
          req.session.cookie.maxAge = 30 * DAY
          req.session.cookie.sameSite = 'strict'
        })
        assert.equal(await app.calls(), 'set get touch')
        const id = await idOf(browser)
        for (let i = 0; i < 3; i++) {
          const { cookie } = await browser.request((req) => {
            assertClose(req.session.cookie.originalMaxAge!, 30 * DAY)
          })
          assertClose(Date.parse(cookie!.get('expires')!), Date.now() + 30 * DAY)
          assert.equal(cookie!.get('samesite'), 'Strict')
          assertClose(await readDeadline(openOther(), id), Date.now() + 30 * DAY)
        }
        assert.deepEqual(await dataOf(browser), { name: 'Ada' })
      })
    },
  ),
  rule(
    'a-change-of-the-cookie-beside-a-save-lasts',
    'Remember-me is forgotten because of another request.',
    ({ open, openOther }) => {
      const store = open()
      return withApp(store, { cookie: { maxAge: HOUR } }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const id = await idOf(browser)
        await browser.request(async (req) => {
          const request = { sessionID: id, sessionStore: openOther() } as never
          const theirs = openOther().createSession(request, (await openOther().get(id))!)
          await save(Object.assign(theirs, { theirs: true }))
          req.session.cookie.maxAge = 30 * DAY
        })
        assert.deepEqual(await dataOf(browser), { name: 'Ada', theirs: true })
        assertClose(await readDeadline(store, id), Date.now() + 30 * DAY)
      })
    },
  ),
  rule('an-expired-session-is-a-new-one', 'A session that ended goes on.', ({ open, clock }) => {
    const store = open()
    return withApp(store, { cookie: { maxAge: HOUR } }, async (app) => {
      const browser = app.browser()
      await browser.request(put({ name: 'Ada' }))
      const before = browser.cookie
      clock.now += 2 * HOUR
      assert.deepEqual(await dataOf(browser), {})
      const { cookie } = await browser.request((req) => {
        req.session.cookie.maxAge = DAY
        req.session.name = 'Grace'
      })
      assert.ok(cookie)
      assert.notEqual(browser.cookie, before)
      assert.deepEqual(await dataOf(browser), { name: 'Grace' })
    })
  }),
]
