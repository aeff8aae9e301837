import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, copy, destroyWithoutTombstone, type Mutant } from './helpers.ts'

export const raceLogout: Readonly<Record<string, Mutant>> = {
  'race/logout/destroy-is-final-beside-a-save': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
    destroy: (id: string, callback?: Callback) =>
      answer(
        callback,
        async () => void (await right.touch(id, { cookie: { expires: new Date(0) } } as never)),
      ),
  }),
  'race/logout/destroy-is-final-beside-a-plain-save': destroyWithoutTombstone,
  'race/logout/regenerate-is-final-beside-a-touch-with-another-max-age': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
    regenerate: (req: { sessionID: string }, callback: Callback) => {
      ;(right as Any).generate(req)
      callback(null)
    },
  }),
}
