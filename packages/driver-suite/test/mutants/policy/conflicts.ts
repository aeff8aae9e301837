import { SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, copy, type Mutant } from './helpers.ts'

export const conflicts: Readonly<Record<string, Mutant>> = {
  'policy/conflicts/saves-are-merged-by-key': (_right, driver, options) => {
    const overwriting = new SessionStore(driver, { ...options, onConflict: 'overwrite' })
    return { set: overwriting.set.bind(overwriting) }
  },
  'policy/conflicts/a-hundred-requests-lose-nothing': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
  'policy/conflicts/a-merged-session-merges-again': (right) => {
    // The object is taken for what was merged, which it is not.
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
  'policy/conflicts/a-change-that-only-the-serializer-sees-is-kept': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
}
