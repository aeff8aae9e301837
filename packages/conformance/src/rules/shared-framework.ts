import assert from 'node:assert/strict'
import type { Context } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import type { Site } from '../sites/site.ts'
import { HOUR } from './shared.ts'

/** A framework other than Express. */
export interface Framework {
  /** Its ids begin with this. */
  name: string
  /** What has to be installed; the last one is the package that calls the store. */
  packages: readonly string[]
  source: string
  /** Runs `check` with a site on the store whose sessions live for `maxAge` milliseconds. */
  open(context: Context, maxAge: number, check: (site: Site) => Promise<void>): Promise<void>
}

/** The name in the session of the next request. */
export const nameOf = (site: Site): Promise<unknown> => site.visit(({ session }) => session.name)
/** Puts a name into the session. */
export const login = (site: Site): Promise<unknown> =>
  site.visit(({ session }) => {
    session.name = 'Ada'
  })

/** The rules that hold under every framework. */
export const frameworkRules = ({ name, packages, source, open }: Framework): readonly Rule[] => [
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
