import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { answer, cachesReads, crude, remembers } from './broken.ts'
import { upserts } from './concurrency.ts'
import type { Callback } from './shared.ts'

type All = Record<string, SessionData>

/** What `all` tells is this instead. */
const telling =
  (change: (all: All) => unknown): Mutant =>
  (store) => ({
    all: (callback) => void store.all((error, found) => callback(error, change((found ?? {}) as All) as All)),
  })

const first = (count: number) => (all: All) => Object.fromEntries(Object.entries(all).slice(0, count))

/** What `length` counts is this instead. */
const counting =
  (change: (count: number) => unknown): Mutant =>
  (store) => ({
    length: (callback) => void store.length((error, count) => callback(error, change(count ?? 0) as number)),
  })

/** Clears this many. */
const clearing =
  (count: number): Mutant =>
  (store) => {
    const saved: string[] = []
    return {
      set(id, session, callback) {
        saved.push(id)
        store.set(id, session, callback as Callback)
      },
      clear(callback) {
        for (const id of saved.slice(0, count)) store.destroy(id, () => {})
        answer(callback)
      },
    }
  }

/** Saves after what was called later. */
const savesLater: Mutant = (store) => ({
  set(id, session, callback) {
    const copy = JSON.parse(JSON.stringify(session))
    setTimeout(() => store.set(id, copy, callback as Callback), 5)
  },
})

export const bulk: Readonly<Record<string, Mutant>> = {
  'all/sees-the-saves-before-it': savesLater,
  'all/destroy-of-what-it-names-ends-it': telling((all) =>
    Object.fromEntries(Object.entries(all).map(([id, session]) => [`${id}-hashed`, session])),
  ),
  'length/sees-the-saves-before-it': savesLater,
  'clear/ends-the-saves-before-it': savesLater,
  'clear/leaves-the-saves-after-it': (store) => ({
    clear: (callback) => void setTimeout(() => store.clear(callback as Callback), 5),
  }),
  'all/tells-every-session': telling(first(4)),
  'all/tells-hundreds': telling(first(100)),
  'all/of-nothing-is-empty': telling((all) => (Object.keys(all).length > 0 ? all : null)),
  'all/leaves-out-destroyed-sessions': remembers,
  'all/tells-which-is-which': telling(Object.values),
  'all/tells-what-others-saved': remembers,
  'all/beside-logouts-is-no-error': (store) => {
    let destroying = 0
    return {
      destroy(id, callback) {
        destroying++
        store.destroy(id, (error) => {
          destroying--
          callback?.(error)
        })
      },
      all(callback) {
        if (destroying) answer(callback, new TypeError('Cannot read properties of null'))
        else store.all(callback)
      },
    }
  },
  'length/counts-sessions': (store) => {
    let rows = 0
    return {
      set(id, session, callback) {
        rows++
        store.set(id, session, callback as Callback)
      },
      length: (callback) => answer(callback, null, rows),
    }
  },
  'length/is-a-number': counting(String),
  'length/counts-hundreds': counting((count) => Math.min(count, 100)),
  'clear/ends-every-session': clearing(4),
  'clear/ends-hundreds': clearing(100),
  'clear/of-nothing-is-no-error': (store) => ({
    clear: (callback) =>
      void store.length((_, count) =>
        count ? store.clear(callback as Callback) : callback?.(new Error('ns not found')),
      ),
  }),
  'clear/leaves-a-store-that-works': (store) => {
    let dropped = false
    return {
      clear(callback) {
        dropped = true
        store.clear(callback as Callback)
      },
      set(id, session, callback) {
        if (dropped) answer(callback, new Error('no such table'))
        else store.set(id, session, callback as Callback)
      },
    }
  },
  'clear/ends-them-in-every-process': cachesReads,
  'clear/late-save-does-not-undo-it': upserts,
  'clear/beside-saves-is-no-error': (store) => {
    let locked = false
    return {
      clear(callback) {
        locked = true
        store.clear((error) => {
          locked = false
          callback?.(error)
        })
      },
      set(id, session, callback) {
        if (locked) answer(callback, new Error('the table is locked'))
        else store.set(id, session, callback as Callback)
      },
    }
  },
}

/** Its `clear` is for everybody's sessions. */
const clearsAll = (): Mutant => {
  const made: Parameters<Mutant>[0][] = []
  return (store) => {
    made.push(store)
    return {
      clear(callback) {
        for (const one of made) one.clear(() => {})
        store.clear(callback as Callback)
      },
    }
  }
}

export const prefixes: Readonly<Record<string, Mutant>> = {
  'prefix/keeps-sessions-apart': crude(),
  'prefix/keeps-logouts-apart': crude(),
  'prefix/length-counts-its-own': crude(),
  'prefix/all-tells-its-own': crude(),
  'prefix/clear-ends-its-own': clearsAll(),
  'prefix/clear-leaves-a-longer-prefix': clearsAll(),
  'prefix/length-leaves-out-a-longer-prefix': crude(),
  'prefix/is-no-pattern': () => ({ clear: (callback) => answer(callback) }),
}
