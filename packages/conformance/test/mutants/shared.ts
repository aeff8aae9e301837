import session, { type SessionData, type Store } from 'express-session'
import type { Mutant } from '../support/reference.ts'

/** Faults that several rules find. */

export type Callback = (error?: unknown) => void
type Loose = SessionData & Record<string, unknown>

/** What is stored otherwise than it was given. */
export const saving =
  (change: (session: Loose, id: string) => object): Mutant =>
  (store) => {
    const changed = (id: string, session: SessionData): SessionData =>
      change(JSON.parse(JSON.stringify(session)), id) as SessionData
    return {
      set: (id, session, callback) => void store.set(id, changed(id, session), callback as Callback),
      touch: (id, session, callback) => void store.touch(id, changed(id, session), callback as Callback),
    }
  }

export const cookieOf = (change: (cookie: SessionData['cookie']) => object): Mutant =>
  saving((session) => ({ ...session, cookie: { ...session.cookie, ...change(session.cookie) } }))

/** As express-session's own stores have it: by their `destroy`, whatever became of the session. */
export const regenerate: Store['regenerate'] = session.Store.prototype.regenerate

export const keepsDestroyed: Mutant = () => ({
  destroy: (_id, callback) => void process.nextTick(callback as Callback),
  regenerate,
})

/** Reads nothing of what it saved. */
export const forgets: Mutant = () => ({ get: (_id, callback) => process.nextTick(callback, null, null) })
