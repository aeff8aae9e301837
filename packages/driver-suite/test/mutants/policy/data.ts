import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, type Mutant, makeGet } from './helpers.ts'

export const data: Readonly<Record<string, Mutant>> = {
  'policy/data/set-and-touch-leave-the-session-alone': (right) => ({
    set(id: string, session: Any, callback: Any) {
      session.lastAccess = 0
      return right.set(id, session, callback)
    },
  }),
  'policy/data/keys-of-stores-come-back': (right) =>
    makeGet(async (id) => {
      const found: Any = await right.get(id)
      return found && { ...found, id }
    }),
  'policy/data/a-payload-over-maxPayload-keeps-the-old-one': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, () =>
        right.set(id, session).catch(async (error) => {
          await right.destroy(id)
          throw error
        }),
      ),
  }),
}
