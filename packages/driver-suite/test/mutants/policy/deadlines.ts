import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, copy, type Mutant } from './helpers.ts'

export const deadlines: Readonly<Record<string, Mutant>> = {
  'policy/deadlines/a-touch-from-before-a-save-leaves-the-longer-deadline-that-it-decided': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.touch(id, copy(session), callback),
  }),
  'policy/deadlines/a-touch-from-before-a-save-leaves-the-shorter-deadline-that-it-decided': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.touch(id, copy(session), callback),
  }),
  'policy/deadlines/a-late-save-of-an-unchanged-session-does-not-move-the-deadline-back': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
  'policy/deadlines/who-sets-an-earlier-end-by-hand-is-heard': (right) => ({
    set: (id: string, session: Any, callback?: Callback) =>
      answer(callback, async () => {
        const found = await right.get(id)
        const ends = [session, found].map((one) => Number(new Date(one?.cookie.expires ?? 0)))
        session.cookie.expires = new Date(Math.max(...ends))
        return right.set(id, session)
      }),
  }),
}
