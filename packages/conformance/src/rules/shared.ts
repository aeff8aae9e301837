import assert from 'node:assert/strict'
import type { Context, Tested } from '../engine/context.ts'
import type { Data, StoredSession } from '../engine/subject.ts'

export const ID = 'the-session-id'

/** Milliseconds. */
export const HOUR = 3_600_000
/** Milliseconds. */
export const YEAR: number = 365 * 24 * HOUR
/** The life of a session whose end a rule waits for, in milliseconds. */
export const SHORT = 1000
/**
 * Milliseconds after which a `SHORT` session has ended for certain, even in a store that counts in
 * whole seconds.
 */
export const LONG_AFTER: number = 3 * SHORT

export const README = 'https://github.com/expressjs/session#session-store-implementation'

/** Returns this many different ids. */
export const makeIds = (count: number): string[] => Array.from({ length: count }, (_, i) => `session-${i}`)

/**
 * Asserts that the session is there and holds these values. `undefined` asserts that there is no
 * such key. Further keys are ignored, because `copies/nothing-is-added` is about them.
 */
export function expectData(found: Data | undefined, expected: Data): void {
  assert.ok(found, 'the session is not there')
  const picked = Object.keys(expected).map((key) => [key, found[key]])
  assert.deepEqual(Object.fromEntries(picked), expected)
}

/**
 * Makes a check of what happens before a session ends, which lives for a few units of milliseconds.
 * On a busy machine the session may end before the check has looked, which says nothing of the
 * store: `assertBefore(end)` detects this, and the check runs again with a unit that is twice as
 * long.
 */
export function retryIfLate(
  check: (context: Context, unit: number, assertBefore: (end: number) => void) => Promise<void>,
): (context: Context) => Promise<void> {
  return async (context) => {
    const assertBefore = (end: number): void => {
      if (context.now() >= end) throw new Late('the machine is too busy for this rule')
    }
    for (let unit = SHORT; ; unit *= 2) {
      try {
        return await check(context, unit, assertBefore)
      } catch (error) {
        if (!(error instanceof Late) || unit >= 8 * SHORT) throw error
      }
    }
  }
}

class Late extends Error {}

/** Returns whether the call is answered with an error. */
export const isRefused = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => false,
    () => true,
  )

/** Like `isRefused`, and asserts that whatever the call rejects with is an `Error`. */
export const isRefusedWithError = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => false,
    (error: unknown) => {
      assert.ok(error instanceof Error)
      return true
    },
  )

/**
 * Sets a deadline that is `life` milliseconds away by the clock of the stores. Returns the
 * deadline.
 */
export function extendCookie({ cookie }: Pick<StoredSession, 'cookie'>, life: number, now: number): number {
  const end = now + life
  cookie.expires = new Date(end)
  // The setter of `expires` computes this by the clock of the machine, not by that of the stores.
  cookie.originalMaxAge = life
  return end
}

/** Makes data that `findMarked` recognizes in any list of sessions. */
export const mark = (name: string | number): Data => ({ mark: `#${name}#` })

/**
 * Returns the names of the marked sessions that `all` returns, once per occurrence. The shape of
 * the list does not matter here, because `all/tells-every-session` is about the shape.
 */
export async function findMarked<Name extends string | number>(
  store: Tested,
  names: readonly Name[],
): Promise<Name[]> {
  const all = (await store.all()).map((one) => JSON.stringify(one))
  return names.flatMap((name) => all.filter((one) => one.includes(`#${name}#`)).map(() => name))
}

/** Returns the answer of the method `ids`, or `undefined` if the store has no such method. */
export function listIds({ raw }: Tested): Promise<unknown[]> | undefined {
  const { ids } = raw as unknown as { ids?(callback: (error: unknown, found: unknown[]) => void): void }
  if (ids === undefined) return undefined
  return new Promise((resolve, reject) => {
    ids.call(raw, (error, found) => (error ? reject(error) : resolve(found)))
  })
}

/** Returns those of these ids that have a session. */
export async function findLive(store: Tested, ids: readonly string[]): Promise<string[]> {
  const sessions = await Promise.all(ids.map((id) => store.get(id)))
  return ids.filter((_, i) => sessions[i])
}
