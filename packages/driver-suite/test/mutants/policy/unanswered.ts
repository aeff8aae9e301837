import { SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, copy, type Mutant, sendsAgain } from './helpers.ts'

export const unanswered: Readonly<Record<string, Mutant>> = {
  'policy/unanswered/a-first-save-that-is-sent-again-after-its-session-was-destroyed-does-not-bring-it-back':
    sendsAgain,
  'policy/unanswered/a-save-that-is-sent-again-after-its-session-was-revoked-does-not-bring-it-back':
    sendsAgain,
  'policy/unanswered/a-save-that-is-sent-again-takes-effect-once': sendsAgain,
  'policy/unanswered/a-first-save-that-is-sent-again-takes-effect-once': sendsAgain,
  'policy/unanswered/a-plain-save-that-is-sent-again-takes-effect-once': sendsAgain,
  'policy/unanswered/a-save-of-a-new-session-that-was-given-up-does-not-land-after-the-logout': (
    _right,
    driver,
    options,
  ) => {
    const forgetful = new SessionStore(driver, { ...options, tombstoneTimeout: 0 })
    return { destroy: forgetful.destroy.bind(forgetful) }
  },
  'policy/unanswered/a-save-of-a-read-session-whose-reply-was-lost-is-not-somebody-elses': (right) => {
    // What was sent without an answer is taken for somebody else's.
    const failed = new WeakMap<object, Any>()
    return {
      set: (id: string, session: SessionData, callback?: Callback) =>
        answer(callback, async () => {
          const kept = failed.get(session)
          if (kept) return right.set(id, { ...kept, ...copy(session) })
          return right.set(id, session).catch((error) => {
            failed.set(session, { ...session })
            throw error
          })
        }),
    }
  },
  'policy/unanswered/after-a-save-that-landed-without-an-answer-nothing-is-lost-and-nothing-comes-back':
    sendsAgain,
  'policy/unanswered/a-save-that-is-sent-again-beside-another-key-keeps-both': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
}
