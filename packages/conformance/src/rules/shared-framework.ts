import assert from 'node:assert/strict'
import type { Context } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import type { Visitor } from '../sites/visitor.ts'
import { HOUR } from './shared.ts'

/** A web framework other than Express. */
export interface Framework {
  /** The rule ids of the framework begin with this name. */
  name: string
  /** The packages that must be installed. The last one is the package that calls the store. */
  packages: readonly string[]
  source: string
  /** Runs `check` with a visitor of a site whose sessions live for `maxAge` milliseconds. */
  open(context: Context, maxAge: number, check: (visitor: Visitor) => Promise<void>): Promise<void>
}

/** Requests the name in the session. */
export const readName = (visitor: Visitor): Promise<unknown> => visitor.visit(({ session }) => session.name)
/** Puts a name into the session. */
export const login = (visitor: Visitor): Promise<unknown> =>
  visitor.visit(({ session }) => {
    session.name = 'Ada'
  })

/** Makes the rules that hold under every framework. */
export const makeFrameworkRules = ({ name, packages, source, open }: Framework): readonly Rule[] => [
  {
    id: `${name}/keeps-the-session`,
    title: `under ${packages.at(-1)}, what a request puts into its session is there at the next`,
    level: 'should',
    why: 'Nobody stays logged in.',
    source,
    packages,
    check: (context) =>
      open(context, HOUR, async (visitor) => {
        await login(visitor)
        assert.equal(await readName(visitor), 'Ada')
        await visitor.visit(({ session }) => {
          session.visits = 2
        })
        assert.equal(await readName(visitor), 'Ada')
        assert.equal(await visitor.visit(({ session }) => session.visits), 2)
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
      open(context, HOUR, async (visitor) => {
        await login(visitor)
        const { cookie } = visitor
        await visitor.visit((visit) => visit.end())
        visitor.cookie = cookie
        assert.equal(await readName(visitor), undefined)
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
      open(context, HOUR, async (visitor) => {
        await login(visitor)
        const planted = visitor.cookie
        await visitor.visit(async (visit) => {
          await visit.renew()
          visit.session.user = 7
        })
        assert.equal(await visitor.visit(({ session }) => session.user), 7)
        visitor.cookie = planted
        assert.equal(await visitor.visit(({ session }) => session.user ?? session.name), undefined)
      }),
  },
]
