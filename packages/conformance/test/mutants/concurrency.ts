import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import {
  answer,
  type Callback,
  cachesReads,
  copy,
  countsSaves,
  limitCalls,
  makeSimple,
  overwrites,
  savesTouches,
  shareReads,
  sharesNothing,
} from './shared.ts'

export const concurrency: Readonly<Record<string, Mutant>> = {
  'concurrency/first-saves-at-once': limitCalls('set'),
  'concurrency/first-saves-in-two-processes': sharesNothing,
  'concurrency/first-saves-are-one-session': countsSaves,
  'concurrency/saves-of-many-sessions': (store) => {
    let current: SessionData
    return {
      set(id, session, callback) {
        current = session
        setImmediate(() => store.set(id, copy(current), callback as Callback))
      },
    }
  },
  'concurrency/reads-of-many-sessions': shareReads(() => 'any'),
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
  'concurrency/reads-of-one-session-are-apart': shareReads((id) => id),
  'concurrency/read-sees-the-save-before-it': (store) => ({
    set(id, session, callback) {
      answer(callback)
      setTimeout(() => store.set(id, session, () => {}), 5)
    },
  }),
  'concurrency/other-process-sees-the-save-before-it': cachesReads,
  'concurrency/read-beside-a-save-is-whole': makeSimple((rows) => ({
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
  'collisions/touch-beside-a-save-is-no-error': limitCalls('touch'),
  'collisions/changes-of-two-requests-both-stay': overwrites,
  'collisions/late-save-keeps-a-later-deadline': overwrites,
  'collisions/late-save-does-not-end-a-session-in-use': overwrites,
  'collisions/removal-beside-a-change-stays': overwrites,
  'concurrency/crowd-is-answered': limitCalls('set', 20),
}
