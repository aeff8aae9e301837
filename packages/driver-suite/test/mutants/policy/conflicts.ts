import { SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, type Mutant, saveCopies } from './helpers.ts'

export const conflicts: Readonly<Record<string, Mutant>> = {
  'policy/conflicts/saves-are-merged-by-key': (_right, driver, options) => {
    const overwriting = new SessionStore(driver, { ...options, onConflict: 'overwrite' })
    return { set: overwriting.set.bind(overwriting) }
  },
  'policy/conflicts/a-hundred-requests-lose-nothing': saveCopies,
  'policy/conflicts/a-merged-session-merges-again': (right) => {
    // The mutant takes the object of the request for the merged session.
    const last = new WeakMap<object, Any>()
    return {
      set: (id: string, session: SessionData, callback?: Callback) =>
        answer(callback, async () => {
          const known = last.get(session)
          for (const key of Object.keys(known ?? {})) delete known[key]
          await right.set(id, known ? Object.assign(known, session) : session)
          last.set(session, await right.get(id))
        }),
    }
  },
  'policy/conflicts/a-change-that-only-the-serializer-sees-is-kept': saveCopies,
}
