import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { alone, answer, cachesReads, crude, type Found, oneAtATime, savesTouches } from './broken.ts'
import { type Callback, saving } from './shared.ts'

/** Saves whatever was there before. */
export const upserts: Mutant = saving((session) => session)

/** Reads that are made while another one is not answered get its answer, by this key. */
const sharesReads =
  (keyOf: (id: string) => string): Mutant =>
  (store) => {
    const waiting = new Map<string, Found[]>()
    return {
      get(id, callback) {
        const key = keyOf(id)
        const others = waiting.get(key)
        if (others) return void others.push(callback)
        const all: Found[] = [callback]
        waiting.set(key, all)
        store.get(id, (error, found) => {
          waiting.delete(key)
          for (const one of all) one(error, found)
        })
      },
    }
  }

export const concurrency: Readonly<Record<string, Mutant>> = {
  'concurrency/first-saves-at-once': oneAtATime('set'),
  'concurrency/first-saves-in-two-processes': alone,
  'concurrency/first-saves-are-one-session': (store) => {
    let rows = 0
    return {
      set(id, session, callback) {
        rows++
        store.set(id, session, callback as Callback)
      },
      length: (callback) => answer(callback, null, rows),
    }
  },
  'concurrency/saves-of-many-sessions': (store) => {
    let current: SessionData
    return {
      set(id, session, callback) {
        current = session
        setImmediate(() => store.set(id, JSON.parse(JSON.stringify(current)), callback as Callback))
      },
    }
  },
  'concurrency/reads-of-many-sessions': sharesReads(() => 'any'),
  'concurrency/reads-of-one-session': (store) => {
    let open = 0
    return {
      get(id, callback) {
        if (open >= 10) return answer(callback, null, null)
        open++
        store.get(id, (error, found) => {
          open--
          callback(error, found)
        })
      },
    }
  },
  'concurrency/reads-of-one-session-are-apart': sharesReads((id) => id),
  'concurrency/read-sees-the-save-before-it': (store) => ({
    set(id, session, callback) {
      answer(callback)
      setTimeout(() => store.set(id, session, () => {}), 5)
    },
  }),
  'concurrency/other-process-sees-the-save-before-it': cachesReads,
  'concurrency/read-beside-a-save-is-whole': crude((rows) => ({
    set(id, session, callback) {
      rows.delete(id)
      setImmediate(() => {
        rows.set(id, JSON.stringify(session))
        callback?.()
      })
    },
  })),
  'collisions/last-save-stays': (store) => {
    let saves = 0
    return {
      set(id, session, callback) {
        setTimeout(() => store.set(id, session, callback as Callback), saves++ % 2 ? 0 : 5)
      },
    }
  },
  'collisions/save-beside-a-touch-stays': savesTouches,
  'collisions/touch-beside-a-save-is-no-error': oneAtATime('touch'),
  'collisions/changes-of-two-requests-both-stay': upserts,
  'collisions/late-save-keeps-a-later-deadline': upserts,
  'collisions/late-save-does-not-end-a-session-in-use': upserts,
  'collisions/removal-beside-a-change-stays': upserts,
  'concurrency/crowd-is-answered': oneAtATime('set', 20),
}
