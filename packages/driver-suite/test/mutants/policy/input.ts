import type { SessionData } from 'express-session'
import { type Any, type Mutant, makeGet } from './helpers.ts'

export const input: Readonly<Record<string, Mutant>> = {
  'policy/input/a-row-with-half-a-session-is-an-error': (right) =>
    makeGet((id) => right.get(id).catch(() => null)),
  'policy/input/a-BigInt-is-refused': (right) => ({
    set: (id: string, session: SessionData, callback: Any) =>
      right.set(
        id,
        JSON.parse(JSON.stringify(session, (_, value) => (typeof value === 'bigint' ? 0 : value))),
        callback,
      ),
  }),
}
