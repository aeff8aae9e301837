import type { SessionStore } from '@session-stores/core'
import { HOUR } from '../common.ts'
import { makePlain, type RequestSession, save } from '../policy/sessions.ts'

/** The reason for all rules about races with a logout. */
export const WHY =
  'Who has logged out is logged in again: whoever stole the cookie, or sits down at the computer next, goes on.'

/** How often a race is repeated, and with how many sessions at once. */
export const ROUNDS = 5
export const AT_ONCE = 500

/** What a slow request does at its end, when the session that it has read may have been ended. */
export type LateCall = (store: SessionStore, id: string, session: RequestSession) => Promise<unknown>

export type LateName = 'save' | 'touch' | 'touch-with-another-max-age' | 'plain-save'

export const LATE_CALLS: Readonly<Record<LateName, LateCall>> = {
  save(_store, _id, session) {
    session.name = 'saved late'
    return save(session)
  },
  touch(store, id, session) {
    return store.touch(id, session)
  },
  /** The store turns this touch into a save, because the changed setting has to be stored. */
  'touch-with-another-max-age'(store, id, session) {
    session.cookie.originalMaxAge = 2 * HOUR
    return store.touch(id, session)
  },
  /**
   * Other frameworks copy what they read and save the copy. The store rejects a late one with
   * `GONE`.
   */
  'plain-save'(store, id) {
    return store.set(id, makePlain({ name: 'saved late' }))
  },
}

/** Returns a random number generator (mulberry32) that repeats its numbers for the same seed. */
export function seedRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
