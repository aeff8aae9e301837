import { SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, copy, type Mutant } from './helpers.ts'

export const raceLogout: Readonly<Record<string, Mutant>> = {
  'race/logout/destroy-is-final-beside-a-save': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
    destroy: (id: string, callback?: Callback) =>
      answer(
        callback,
        async () => void (await right.touch(id, { cookie: { expires: new Date(0) } } as never)),
      ),
  }),
  'race/logout/destroy-is-final-beside-a-plain-save': (_right, driver, options) => {
    const forgetful = new SessionStore(driver, { ...options, tombstoneTimeout: 0 })
    return { destroy: forgetful.destroy.bind(forgetful) }
  },
  'race/logout/regenerate-is-final-beside-a-touch-with-another-max-age': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
    regenerate: (req: { sessionID: string }, callback: Callback) => {
      ;(right as Any).generate(req)
      callback(null)
    },
  }),
}
