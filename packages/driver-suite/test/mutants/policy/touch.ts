import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, copy, type Mutant } from './helpers.ts'

export const touch: Readonly<Record<string, Mutant>> = {
  'policy/touch/extends': (right) => ({
    touch: (_id: string, _session: SessionData, callback?: Callback) =>
      answer(callback, async () => right.ping()),
  }),
  "policy/touch/keeps-a-change-of-the-cookie's-sameSite": (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.touch(id, copy(session), callback),
  }),
}
