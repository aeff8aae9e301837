import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import {
  answer,
  type Callback,
  cachesReads,
  copy,
  countsSaves,
  makeSimple,
  overwrites,
  remembersSaves,
} from './shared.ts'

type All = Record<string, SessionData>

/** Changes the answer of `all`. */
const changeAll =
  (change: (all: All) => unknown): Mutant =>
  (store) => ({
    all: (callback) => void store.all((error, found) => callback(error, change((found ?? {}) as All) as All)),
  })

/** Takes the first sessions of a list. */
const takeFirst = (count: number) => (all: All) => Object.fromEntries(Object.entries(all).slice(0, count))

/** Changes the answer of `length`. */
const changeLength =
  (change: (count: number) => unknown): Mutant =>
  (store) => ({
    length: (callback) => void store.length((error, count) => callback(error, change(count ?? 0) as number)),
  })

/** Clears no more sessions than this. */
const limitClear =
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

/** Saves so late that calls after the save are executed before it. */
const savesLater: Mutant = (store) => ({
  set(id, session, callback) {
    const copied = copy(session)
    setTimeout(() => store.set(id, copied, callback as Callback), 5)
  },
})

export const bulk: Readonly<Record<string, Mutant>> = {
  'all/sees-the-saves-before-it': savesLater,
  'all/destroy-of-what-it-names-ends-it': changeAll((all) =>
    Object.fromEntries(Object.entries(all).map(([id, session]) => [`${id}-hashed`, session])),
  ),
  'length/sees-the-saves-before-it': savesLater,
  'clear/ends-the-saves-before-it': savesLater,
  'clear/leaves-the-saves-after-it': (store) => ({
    clear: (callback) => void setTimeout(() => store.clear(callback as Callback), 5),
  }),
  'all/tells-every-session': changeAll(takeFirst(4)),
  'all/tells-hundreds': changeAll(takeFirst(100)),
  'all/of-nothing-is-empty': changeAll((all) => (Object.keys(all).length > 0 ? all : null)),
  'all/leaves-out-destroyed-sessions': remembersSaves,
  'all/tells-which-is-which': changeAll(Object.values),
  'all/tells-what-others-saved': remembersSaves,
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
  'length/counts-sessions': countsSaves,
  'length/is-a-number': changeLength(String),
  'length/counts-hundreds': changeLength((count) => Math.min(count, 100)),
  'clear/ends-every-session': limitClear(4),
  'clear/ends-hundreds': limitClear(100),
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
  'clear/late-save-does-not-undo-it': overwrites,
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

/** Makes a mutant whose `clear` also clears the other stores of the mutant. */
const clearEveryStore = (): Mutant => {
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
  'prefix/keeps-sessions-apart': makeSimple(),
  'prefix/keeps-logouts-apart': makeSimple(),
  'prefix/length-counts-its-own': makeSimple(),
  'prefix/all-tells-its-own': makeSimple(),
  'prefix/clear-ends-its-own': clearEveryStore(),
  'prefix/clear-leaves-a-longer-prefix': clearEveryStore(),
  'prefix/length-leaves-out-a-longer-prefix': makeSimple(),
  'prefix/is-no-pattern': () => ({ clear: (callback) => answer(callback) }),
}
