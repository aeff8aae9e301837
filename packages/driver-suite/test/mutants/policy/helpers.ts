import { type Driver, SessionStore, type StoreOptions } from '@session-stores/core'
import type { SessionData } from 'express-session'

/** Faults that stores have, most of them seen in one that people use: the rule against each must find it. */

export type Callback = (error: unknown, value?: unknown) => void
// biome-ignore lint/suspicious/noExplicitAny: mutants need not keep to the types
export type Any = any
/** What a faulty store does otherwise; `right` is the same store without the mutant. */
export type Mutant = (right: SessionStore, driver: Driver, options: StoreOptions) => Record<string, unknown>

/** The same session as another object: what the store knows about it is lost. */
export const copy = (session: SessionData): SessionData => ({ ...session })

/** Answers one call with what `work` gives. */
export async function answer(callback: Callback | undefined, work: () => Promise<unknown>): Promise<unknown> {
  if (!callback) return work()
  work().then(
    (value) => (value === undefined ? callback(null) : callback(null, value)),
    (error) => callback(error),
  )
}

/** A `get` that takes a callback, too. */
export const reads = (get: (id: string) => Promise<unknown>): Record<string, unknown> => ({
  get: (id: string, callback?: Callback) => answer(callback, () => get(id)),
})

/** Sends a save again that got no answer, whatever came of it, as an application does that knows no better. */
export const sendsAgain: Mutant = (right, driver, options) => {
  const forgetful = new SessionStore(driver, { ...options, tombstoneTimeout: 0 })
  return {
    destroy: forgetful.destroy.bind(forgetful),
    revoke: forgetful.revoke.bind(forgetful),
    revokeUser: forgetful.revokeUser.bind(forgetful),
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, async () => {
        const isDone = await right.set(id, session).then(
          () => true,
          () => false,
        )
        if (!isDone || !(await right.get(id))) await forgetful.set(id, copy(session))
      }),
  }
}

/** By the rule that must find it. */
