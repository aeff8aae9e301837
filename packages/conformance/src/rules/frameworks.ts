import assert from 'node:assert/strict'
import type { Context } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import { done, withSite } from '../sites/express.ts'
import { withFastify } from '../sites/fastify.ts'
import { withKoa } from '../sites/koa.ts'
import { passport } from '../sites/passport.ts'
import type { Site } from '../sites/site.ts'

/** The store under other frameworks than Express, and under Passport. */

const HOUR = 3_600_000

interface Framework {
  name: string
  packages: readonly string[]
  source: string
  open(context: Context, maxAge: number, check: (site: Site) => Promise<void>): Promise<void>
}

const fastify: Framework = {
  name: 'fastify',
  packages: ['fastify', '@fastify/cookie', '@fastify/session'],
  source: 'https://github.com/fastify/session#store-optional',
  open: ({ store }, maxAge, check) => withFastify(store.raw, maxAge, check),
}

const koa: Framework = {
  name: 'koa',
  packages: ['koa', 'koa-session'],
  source: 'https://github.com/koajs/session#external-session-stores',
  open: ({ store }, maxAge, check) => withKoa(store, maxAge, check),
}

const nameOf = (site: Site): Promise<unknown> => site.visit(({ session }) => session.name)
const login = (site: Site): Promise<unknown> =>
  site.visit(({ session }) => {
    session.name = 'Ada'
  })

const rulesOf = ({ name, packages, source, open }: Framework): readonly Rule[] => [
  {
    id: `${name}/keeps-the-session`,
    title: `under ${packages.at(-1)}, what a request puts into its session is there at the next`,
    level: 'should',
    why: 'Nobody stays logged in.',
    source,
    packages,
    check: (context) =>
      open(context, HOUR, async (site) => {
        await login(site)
        assert.equal(await nameOf(site), 'Ada')
        await site.visit(({ session }) => {
          session.visits = 2
        })
        assert.equal(await nameOf(site), 'Ada')
        assert.equal(await site.visit(({ session }) => session.visits), 2)
      }),
  },
  {
    id: `${name}/logout-is-final`,
    title: `under ${packages.at(-1)}, a session that was ended is not there at the next request`,
    level: 'should',
    why: 'Who has logged out is still logged in.',
    source,
    packages,
    check: (context) =>
      open(context, HOUR, async (site) => {
        await login(site)
        const { cookie } = site
        await site.visit((visit) => visit.end())
        site.cookie = cookie
        assert.equal(await nameOf(site), undefined)
      }),
  },
  {
    id: `${name}/renewal-changes-the-id`,
    title: `under ${packages.at(-1)}, the cookie of before the login opens nothing after it`,
    level: 'should',
    why: 'Whoever planted an id in a browser before the login is logged in with its user.',
    source,
    packages,
    check: (context) =>
      open(context, HOUR, async (site) => {
        await login(site)
        const planted = site.cookie
        await site.visit(async (visit) => {
          await visit.renew()
          visit.session.user = 7
        })
        assert.equal(await site.visit(({ session }) => session.user), 7)
        site.cookie = planted
        assert.equal(await site.visit(({ session }) => session.user ?? session.name), undefined)
      }),
  },
]

export const frameworks: readonly Rule[] = [
  ...rulesOf(fastify),
  {
    id: 'fastify/idle-session-ends',
    title: 'under @fastify/session, a session ends when nobody asks for it within its `maxAge`',
    level: 'should',
    why: 'A stolen cookie, sent by something that is no browser, works for ever.',
    source: fastify.source,
    packages: fastify.packages,
    check: (context) =>
      fastify.open(context, 4000, async (site) => {
        await login(site)
        assert.equal(await nameOf(site), 'Ada')
        await context.pass(5500)
        assert.equal(await nameOf(site), undefined)
      }),
  },
  ...rulesOf(koa),
  {
    id: 'passport/login-lasts',
    title: 'with Passport, who has signed in is the user of the next request, under a new id',
    level: 'should',
    why: 'Signing in has no effect, or keeps the id that an attacker planted.',
    source: 'https://www.passportjs.org/concepts/authentication/sessions/',
    packages: ['passport'],
    async check({ store }) {
      const signed = await passport()
      await withSite(store.raw, {}, async (site) => {
        const browser = site.browser()
        const user = async (): Promise<unknown> =>
          (await browser.request(signed((req, res) => res.json(req.user?.id ?? null)))).body
        await browser.request(
          signed((req) => {
            req.session.visits = 1
          }),
        )
        const planted = browser.cookie
        await browser.request(signed((req) => done((callback) => req.logIn({ id: 7 }, callback))))
        assert.equal(await user(), '7')
        assert.notEqual(browser.cookie, planted)
        await browser.request(signed((req) => done((callback) => req.logOut(callback))))
        assert.equal(await user(), 'null')
      })
    },
  },
]
