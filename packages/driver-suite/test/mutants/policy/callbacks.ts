import type { SessionData } from 'express-session'
import { answer, type Callback, type Mutant } from './helpers.ts'

export const callbacks: Readonly<Record<string, Mutant>> = {
  'policy/callbacks/get-calls-back-once-and-later': (right) => ({
    get: (id: string, callback: Callback) =>
      right.get(id, (error, found) => {
        callback(error, found)
        callback(error, found)
      }),
  }),
  'policy/callbacks/set-calls-back-once-and-later': (right) => ({
    set(id: string, session: SessionData, callback?: Callback) {
      callback?.(null)
      return right.set(id, session)
    },
  }),
  'policy/callbacks/destroy-calls-back-once-and-later': (right) => ({
    destroy: (id: string, callback: Callback) =>
      right.destroy(id, (error) => callback(error, error ? undefined : { changes: 1 })),
  }),
  'policy/callbacks/get-that-fails-calls-back-once-and-later': (right) => ({
    get(id: string, callback: Callback) {
      if (typeof id !== 'string') throw new TypeError('no id')
      return right.get(id, callback)
    },
  }),
  'policy/callbacks/clear-without-a-callback-is-a-promise': (right) => ({
    clear: (callback: Callback) => void right.clear(callback ?? (() => {})),
  }),
  'policy/callbacks/destroy-that-nobody-waits-for-may-fail': (right) => ({
    destroy: (id: string, callback?: Callback) => answer(callback, async () => right.destroy(id)),
  }),
  'policy/callbacks/touch-calls-back-in-its-callers-async-context': (right) => {
    let waiting: (() => void)[] = []
    return {
      touch(id: string, session: SessionData, callback: Callback) {
        if (waiting.push(() => right.touch(id, session, callback as never)) > 1) return
        setImmediate(() => {
          for (const call of waiting) call()
          waiting = []
        })
      },
    }
  },
}
