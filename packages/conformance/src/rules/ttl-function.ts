import assert from 'node:assert/strict'
import type { SessionData } from 'express-session'
import type { Rule } from '../engine/rule.ts'
import { expectData, HOUR, ID, LONG_AFTER, SHORT } from './shared.ts'

/** The answers of `ttlOf` in milliseconds, by the `kind` that a session holds. */
const LIVES: Readonly<Record<string, number>> = {
  short: SHORT,
  long: HOUR,
  none: 0,
  past: -HOUR,
  fraction: HOUR / 7,
  unknown: Number.NaN,
}

function ttlOf(session: SessionData): number {
  const life = LIVES[(session as SessionData & { kind: string }).kind]
  if (life === undefined) throw new Error('the life of this session is unknown')
  return life
}

const BY_FUNCTION = { options: { ttlOf }, needs: ['ttlOf'] } as const

/** Returns the error that the store calls back with. Fails if the store throws instead. */
async function waitForAnswer(call: (done: (error?: unknown) => void) => void): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  assert.doesNotThrow(() => call(resolve))
  return promise
}

/** Rules about a function of the application that says how long each session lives. */
export const ttlFunction: readonly Rule[] = [
  {
    id: 'ttl-function/decides',
    title: 'a function that says how long a session lives is followed where the cookie has no deadline',
    level: 'must',
    why: 'Guests stay for as long as the staff, or the staff is logged out with the guests.',
    ...BY_FUNCTION,
    async check({ store, session, pass }) {
      await store.set('guest', session({ kind: 'short' }, null))
      await store.set('staff', session({ kind: 'long' }, null))
      await pass(LONG_AFTER)
      assert.equal(await store.data('guest'), undefined)
      expectData(await store.data('staff'), { kind: 'long' })
    },
  },
  {
    id: 'ttl-function/its-error-is-told',
    title: 'an error that the `ttl` function throws is passed to the callback of the save',
    level: 'should',
    why: 'One session that the function knows nothing of ends the process, or its request hangs for ever.',
    source: 'https://github.com/expressjs/session/blob/v1.19.0/index.js#L322',
    ...BY_FUNCTION,
    async check({ store, session }) {
      const error = await waitForAnswer((done) => store.raw.set(ID, session({ kind: 'nobody' }, null), done))
      assert.ok(error, 'the save succeeds')
    },
  },
  {
    id: 'ttl-function/no-time-is-gone',
    title:
      'a session for which the `ttl` function returns 0 or less is gone at the next request, and its save succeeds',
    level: 'should',
    why: 'Whoever is to be logged out by it stays logged in for a day, or for ever.',
    ...BY_FUNCTION,
    async check({ store, session }) {
      for (const kind of ['past', 'none']) {
        await store.set(kind, session({ kind }, null))
        assert.equal(await store.data(kind), undefined, kind)
      }
    },
  },
  {
    id: 'ttl-function/fraction-or-no-number',
    title:
      'a session for which the `ttl` function returns a fraction is kept, and one with NaN gets an answer',
    level: 'should',
    why: 'A life that was calculated fails every save, or leaves the request without an end.',
    ...BY_FUNCTION,
    async check({ store, session }) {
      await store.set(ID, session({ kind: 'fraction' }, null))
      expectData(await store.data(ID), { kind: 'fraction' })
      await waitForAnswer((done) => store.raw.set('unknown', session({ kind: 'unknown' }, null), done))
      await waitForAnswer((done) => store.raw.get('unknown', done))
    },
  },
]
