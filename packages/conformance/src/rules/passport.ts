import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { done, withSite } from '../sites/express.ts'
import { loadPassport } from '../sites/passport.ts'

/** Rules about the store under Passport. */
export const passport: readonly Rule[] = [
  {
    id: 'passport/login-lasts',
    title: 'with Passport, a user who has signed in is the user of the next request, under a new id',
    level: 'should',
    why: 'Signing in has no effect, or keeps the id that an attacker planted.',
    source: 'https://www.passportjs.org/concepts/authentication/sessions/',
    packages: ['passport'],
    async check({ store }) {
      const withPassport = await loadPassport()
      await withSite(store.raw, {}, async (site) => {
        const browser = site.browser()
        const user = async (): Promise<unknown> =>
          (await browser.request(withPassport((req, res) => res.json(req.user?.id ?? null)))).body
        await browser.request(
          withPassport((req) => {
            req.session.visits = 1
          }),
        )
        const planted = browser.cookie
        await browser.request(withPassport((req) => done((callback) => req.logIn({ id: 7 }, callback))))
        assert.equal(await user(), '7')
        assert.notEqual(browser.cookie, planted)
        await browser.request(withPassport((req) => done((callback) => req.logOut(callback))))
        assert.equal(await user(), 'null')
      })
    },
  },
]
