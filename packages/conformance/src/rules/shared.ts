import assert from 'node:assert/strict'
import type { Context, Tested } from '../engine/context.ts'
import type { Data } from '../engine/rule.ts'

/** What the rules have in common. */

export const ID = 'the-session-id'

/** Milliseconds. */
export const HOUR = 3_600_000
export const YEAR: number = 365 * 24 * HOUR
/** How long a session lives whose end is waited for, in milliseconds. */
export const SHORT = 1000
/** When the end of a `SHORT` session is past doubt, also for a store that counts in whole seconds. Milliseconds. */
export const LONG_AFTER: number = 3 * SHORT

export const README = 'https://github.com/expressjs/session#session-store-implementation'

/** So many ids, each another one. */
export const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `session-${i}`)

/** The session is there and holds this, and nothing where `undefined` is given. What a store adds is another rule's. */
export function holds(found: Data | undefined, expected: Data): void {
  assert.ok(found, 'the session is not there')
  const held = Object.keys(expected).map((key) => [key, found[key]])
  assert.deepEqual(Object.fromEntries(held), expected)
}

/**
 * Runs a check of what happens before a session ends, which lives for some of these units, in milliseconds. Where a busy
 * machine was so late that the session may have ended first, it says nothing of the store: once more, in longer ones.
 */
export function inTime(
  check: (context: Context, unit: number, before: (end: number) => void) => Promise<void>,
): (context: Context) => Promise<void> {
  return async (context) => {
    const before = (end: number): void => {
      if (context.now() >= end) throw new Late('the machine is too busy to tell')
    }
    for (let unit = SHORT; ; unit *= 2) {
      try {
        return await check(context, unit, before)
      } catch (error) {
        if (!(error instanceof Late) || unit >= 8 * SHORT) throw error
      }
    }
  }
}

class Late extends Error {}

/** Whether the call is answered with an error. */
export const isRefused = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => false,
    () => true,
  )

/** What makes a session known in a list, whatever that makes of it. */
export const mark = (name: string | number): Data => ({ mark: `#${name}#` })

/**
 * Which of these marked sessions `all` tells, and those that it tells twice two times. In which shape is a rule by
 * itself: a store that gives its rows as they are has no gaps for that.
 */
export async function told<Name extends string | number>(
  store: Tested,
  names: readonly Name[],
): Promise<Name[]> {
  const all = (await store.all()).map((one) => JSON.stringify(one))
  return names.flatMap((name) => all.filter((one) => one.includes(`#${name}#`)).map(() => name))
}

/** What `ids` gives; `undefined` where the store has no such method. */
export function namesOf({ raw }: Tested): Promise<unknown[]> | undefined {
  const { ids } = raw as unknown as { ids?(callback: (error: unknown, found: unknown[]) => void): void }
  if (ids === undefined) return undefined
  return new Promise((resolve, reject) => {
    ids.call(raw, (error, found) => (error ? reject(error) : resolve(found)))
  })
}

/** Those of these sessions that are there. */
export async function found(store: Tested, all: readonly string[]): Promise<string[]> {
  const sessions = await Promise.all(all.map((id) => store.get(id)))
  return all.filter((_, i) => sessions[i])
}
