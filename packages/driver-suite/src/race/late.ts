import type { SessionStore } from '@session-stores/core'
import { HOUR, plain, type RequestSession, save } from '../policy/fixture.ts'

/** What a slow request does at its end, when the session that it read may be gone. */
export type Late = (store: SessionStore, id: string, read: RequestSession) => Promise<unknown>

export type LateName = 'save' | 'touch' | 'touch-with-another-max-age' | 'plain-save'

export const LATE: Readonly<Record<LateName, Late>> = {
  save(_store, _id, read) {
    read.name = 'saved late'
    return save(read)
  },
  touch(store, id, read) {
    return store.touch(id, read)
  },
  /** It is a save in fact, for the change has to last. */
  'touch-with-another-max-age'(store, id, read) {
    read.cookie.originalMaxAge = 2 * HOUR
    return store.touch(id, read)
  },
  /** Other frameworks copy what they read, and save the copy. They are told where it was not saved, by `GONE`. */
  'plain-save'(store, id) {
    return store.set(id, plain({ name: 'saved late' }))
  },
}

/** The same numbers for the same seed (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Ten at a time, one after the other. */
export async function chunks<T>(all: readonly T[], each: (one: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < all.length; i += 10) await Promise.all(all.slice(i, i + 10).map(each))
}
