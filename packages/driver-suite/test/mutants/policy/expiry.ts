import { SessionStore, SessionStoreError } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, type Mutant, makeGet } from './helpers.ts'

/** The mutant takes a session for signed out that it finds after the clock was set back. */
const refuseAfterJump: Mutant = (right, _driver, { now = Date.now }) => ({
  set: (id: string, session: SessionData, callback?: Callback) =>
    answer(callback, async () => {
      const before = now()
      await right.set(id, session)
      if (now() < before) throw new SessionStoreError('GONE', 'the session was destroyed')
    }),
})

export const expiry: Readonly<Record<string, Mutant>> = {
  'policy/expiry/a-session-that-ends-at-this-moment-is-gone': (right) => ({
    set: (id: string, session: SessionData, callback: Any) =>
      right.set(
        id,
        { ...session, cookie: { ...session.cookie, expires: null, originalMaxAge: null } },
        callback,
      ),
  }),
  'policy/expiry/no-date-as-text-is-no-deadline': (right) => ({
    set: (id: string, session: SessionData, callback: Any) =>
      right.set(id, { ...session, cookie: { ...session.cookie, expires: null } }, callback),
  }),
  "policy/expiry/get-tells-the-session's-deadline": (right) =>
    makeGet(async (id) => {
      const found = await right.get(id)
      return found && { ...found, cookie: { ...found.cookie, expires: null } }
    }),
  'policy/expiry/a-plain-save-at-the-deadline-begins-a-new-session-although-the-clock-is-set-back':
    refuseAfterJump,
  'policy/expiry/a-plain-save-at-the-absolute-end-begins-a-new-session-although-the-clock-is-set-back':
    refuseAfterJump,
  'policy/expiry/absoluteTimeout-ends-a-session-that-is-used': (_right, driver, options) => {
    const { absoluteTimeout, ...rest } = options
    const forgetful = new SessionStore(driver, rest)
    return { get: forgetful.get.bind(forgetful), touch: forgetful.touch.bind(forgetful) }
  },
}
