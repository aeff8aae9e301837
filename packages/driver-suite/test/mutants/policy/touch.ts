import type { SessionData } from 'express-session'
import { answer, type Callback, type Mutant, touchCopies } from './helpers.ts'

export const touch: Readonly<Record<string, Mutant>> = {
  'policy/touch/extends': (right) => ({
    touch: (_id: string, _session: SessionData, callback?: Callback) =>
      answer(callback, async () => right.ping()),
  }),
  "policy/touch/keeps-a-change-of-the-cookie's-sameSite": touchCopies,
}
