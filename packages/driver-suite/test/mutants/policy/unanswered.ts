import type { SessionData } from 'express-session'
import {
  type Any,
  answer,
  type Callback,
  copy,
  destroyWithoutTombstone,
  type Mutant,
  resendUnanswered,
  saveCopies,
} from './helpers.ts'

/** Ends twice whatever is there. */
const endTwice: Mutant = (right) => ({
  destroy: (id: string, callback?: Callback) =>
    answer(callback, async () => {
      await right.destroy(id)
      await right.destroy(id)
    }),
  revoke: async (handle: string) => {
    const isEnd = await right.revoke(handle).catch(() => true)
    return (await right.revoke(handle)) || isEnd
  },
  revokeUser: async (user: string) => {
    const ended = await right.revokeUser(user).catch(() => 1)
    return ended + (await right.revokeUser(user))
  },
})

export const unanswered: Readonly<Record<string, Mutant>> = {
  'policy/unanswered/a-first-save-that-is-sent-again-after-its-session-was-destroyed-does-not-bring-it-back':
    resendUnanswered,
  'policy/unanswered/a-save-that-is-sent-again-after-its-session-was-revoked-does-not-bring-it-back':
    resendUnanswered,
  'policy/unanswered/what-was-given-up-while-the-store-was-set-up-does-nothing-afterwards': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, () =>
        right.set(id, session).catch((error) => {
          right.set(id, session).catch(() => {})
          throw error
        }),
      ),
  }),
  'policy/unanswered/a-clear-that-was-given-up-ends-no-session-that-began-afterwards': (right) => ({
    clear: (callback?: Callback) =>
      answer(callback, () =>
        right.clear().catch((error) => {
          // The mutant goes on to end sessions after it has failed.
          setImmediate(() => right.clear().catch(() => {}))
          throw error
        }),
      ),
  }),
  'policy/unanswered/a-save-that-is-sent-again-takes-effect-once': resendUnanswered,
  'policy/unanswered/a-first-save-that-is-sent-again-takes-effect-once': resendUnanswered,
  'policy/unanswered/a-plain-save-that-is-sent-again-takes-effect-once': resendUnanswered,
  'policy/unanswered/a-save-of-a-new-session-that-was-given-up-does-not-land-after-the-logout':
    destroyWithoutTombstone,
  'policy/unanswered/a-save-of-a-read-session-whose-reply-was-lost-is-not-somebody-elses': (right) => {
    // The mutant takes an unanswered save for the save of another request.
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
    resendUnanswered,
  'policy/unanswered/a-save-that-is-sent-again-beside-another-key-keeps-both': saveCopies,
  'policy/unanswered/a-save-that-may-have-landed-before-its-session-ended-says-so': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, () =>
        right.set(id, session).catch((error) => {
          delete error.cause
          throw error
        }),
      ),
  }),
  'policy/unanswered/an-end-that-is-sent-again-ends-no-later-session-of-an-id-that-was-destroyed': endTwice,
  'policy/unanswered/an-end-that-is-sent-again-ends-no-later-session-of-an-id-that-was-revoked': endTwice,
  'policy/unanswered/an-end-that-is-sent-again-ends-no-later-session-of-an-id-that-was-revoked-with-its-user':
    endTwice,
  'policy/unanswered/a-revoke-of-a-user-that-failed-ends-no-session-afterwards': (right) => ({
    revokeUser: async (user: string) => {
      const { sessions } = await right.list({ user })
      await Promise.all(sessions.map(({ handle }) => right.revoke(handle)))
      return sessions.length
    },
  }),
}
