import { SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type Any, type Mutant, makeGet } from './helpers.ts'

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
  'policy/expiry/absoluteTimeout-ends-a-session-that-is-used': (_right, driver, options) => {
    const { absoluteTimeout, ...rest } = options
    const forgetful = new SessionStore(driver, rest)
    return { get: forgetful.get.bind(forgetful), touch: forgetful.touch.bind(forgetful) }
  },
}
