import type { SessionData } from 'express-session'
import { type Any, copy, type Mutant } from './helpers.ts'

export const httpCookies: Readonly<Record<string, Mutant>> = {
  'http/cookies/a-change-of-the-cookie-alone-lasts': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.touch(id, copy(session), callback),
  }),
}
