import { type Driver, type Format, SessionStore, type StoreOptions } from '@session-stores/core'
import type { SessionData } from 'express-session'

/** What the mutants of stores share. Most mutants repeat a defect of a store that people use. */

export type Callback = (error: unknown, value?: unknown) => void
// biome-ignore lint/suspicious/noExplicitAny: mutants do not keep to the types
export type Any = any
/**
 * Returns the methods in which the mutant differs from `right`, which is the same store without the
 * mutant.
 */
export type Mutant = (
  right: SessionStore,
  driver: Driver,
  options: StoreOptions,
  formats?: readonly Format[],
) => Record<string, unknown>

/** Copies the session, so that the store does not know the object and has no history of it. */
export const copy = (session: SessionData): SessionData => ({ ...session })

/** Answers one call with the result of `work`: by `callback` when there is one, else by promise. */
export async function answer(callback: Callback | undefined, work: () => Promise<unknown>): Promise<unknown> {
  if (!callback) return work()
  work().then(
    (value) => (value === undefined ? callback(null) : callback(null, value)),
    (error) => callback(error),
  )
}

/** Makes a method `get` that also accepts a callback. */
export const makeGet = (get: (id: string) => Promise<unknown>): Record<string, unknown> => ({
  get: (id: string, callback?: Callback) => answer(callback, () => get(id)),
})

/** Opens a store that keeps no tombstones. */
export const openWithoutTombstones = (driver: Driver, options: StoreOptions): SessionStore =>
  new SessionStore(driver, { ...options, tombstoneTimeout: 0 })

/** The mutant keeps no tombstone of a destroyed session. */
export const destroyWithoutTombstone: Mutant = (_right, driver, options) => {
  const forgetful = openWithoutTombstones(driver, options)
  return { destroy: forgetful.destroy.bind(forgetful) }
}

/** The mutant saves a copy of each session, and so without its history. */
export const saveCopies: Mutant = (right) => ({
  set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
})

/** The mutant touches with a copy of each session, and so without its history. */
export const touchCopies: Mutant = (right) => ({
  touch: (id: string, session: SessionData, callback: Any) => right.touch(id, copy(session), callback),
})

/** Resends a save without an answer, even where it took effect, and stores no tombstones. */
export const resendUnanswered: Mutant = (right, driver, options) => {
  const forgetful = openWithoutTombstones(driver, options)
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
