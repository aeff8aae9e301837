import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { Request } from 'express'
import type { Rule } from '../engine/rule.ts'
import { type Browser, expectSession, put, withSite } from '../sites/express.ts'

/**
 * Makes a request that changes its session. Returns the `originalMaxAge` that was saved, which may
 * be a millisecond less than the option, because express-session computes it at the end of the
 * request.
 */
async function requestMaxAge(browser: Browser, change: (request: Request) => void): Promise<unknown> {
  let session: Request['session'] | undefined
  await browser.request((req) => {
    change(req)
    session = req.session
  })
  return session!.cookie.originalMaxAge
}

/** Rules about the cookie that a browser gets, with the real middleware over HTTP. */
export const cookie: readonly Rule[] = [
  {
    id: 'cookie/idle-session-ends',
    title: 'a session ends when nobody asks for it within `cookie.maxAge`',
    level: 'must',
    why: 'A stolen or forgotten cookie, sent by something that is no browser, works for ever.',
    source: 'https://github.com/expressjs/session#cookiemaxage',
    check: ({ store, pass }) =>
      withSite(store.raw, { cookie: { maxAge: 4000 } }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        await expectSession(browser, { name: 'Ada' })
        await pass(5500)
        await expectSession(browser, { name: undefined })
      }),
  },
  {
    id: 'cookie/busy-session-goes-on',
    title: 'a session that is asked for all the time outlives its first deadline',
    level: 'must',
    why: 'A user who works without pause is logged out.',
    source: 'https://github.com/expressjs/session#cookiemaxage',
    methods: ['touch'],
    // The middleware uses the clock of the machine, so `pass` would not help.
    check: ({ store }) =>
      withSite(store.raw, { cookie: { maxAge: 4000 }, rolling: true }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        for (let i = 0; i < 5; i++) {
          await wait(1000)
          await expectSession(browser, { name: 'Ada' }, `after ${i + 1} s`)
        }
      }),
  },
  {
    id: 'cookie/settings-survive',
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
    id: 'cookie/max-age-runs-down',
    title: '`cookie.maxAge` of a session that was read is what is left, `originalMaxAge` what it was given',
    level: 'must',
    why: 'A page that tells how long the session lasts is wrong, and rolling sessions shrink or never end.',
    source: 'https://github.com/expressjs/session#cookiemaxage',
    check: ({ store }) =>
      withSite(store.raw, { cookie: { maxAge: 60_000 } }, async (app) => {
        const browser = app.browser()
        const given = await requestMaxAge(browser, ({ session }) => Object.assign(session, { name: 'Ada' }))
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
    id: 'cookie/remember-me-lasts',
    title: 'a `cookie.maxAge` that one request changed holds for the requests after it',
    level: 'should',
    why: '"Remember me" is forgotten at the next page.',
    source: 'expressjs/session#452',
    check: ({ store }) =>
      withSite(store.raw, { cookie: { maxAge: 60_000 } }, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        const given = await requestMaxAge(browser, ({ session: { cookie } }) => (cookie.maxAge = 7_200_000))
        const { body } = await browser.request((req, res) => {
          res.json((req.session.cookie as unknown as { originalMaxAge: number }).originalMaxAge)
        })
        assert.equal(body, String(given))
      }),
  },
  {
    id: 'cookie/without-a-deadline-is-kept',
    title: 'a session whose cookie has no deadline is kept from request to request',
    level: 'must',
    why: 'Under the default settings of express-session nobody stays logged in.',
    source: 'https://github.com/expressjs/session#cookieexpires',
    check: ({ store }) =>
      withSite(store.raw, {}, async (app) => {
        const browser = app.browser()
        await browser.request(put({ name: 'Ada' }))
        for (let i = 0; i < 3; i++) await expectSession(browser, { name: 'Ada' })
        const { body } = await browser.request((req, res) => {
          res.json((req.session.cookie as unknown as { originalMaxAge: unknown }).originalMaxAge)
        })
        assert.equal(body, 'null')
      }),
  },
]
