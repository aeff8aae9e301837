import { SessionStoreError } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, type Mutant, makeGet } from './helpers.ts'

export const ids: Readonly<Record<string, Mutant>> = {
  'policy/ids/every-id-is-a-session-of-its-own': (right) => ({
    ...makeGet((id) => right.get(id.toLowerCase())),
    set: (id: string, session: SessionData, callback: Any) => right.set(id.toLowerCase(), session, callback),
  }),
  'policy/ids/nobody-has-a-huge-id': (right) => ({
    get(id: string, callback: Any) {
      if (id.length <= 256) return right.get(id, callback)
      return answer(callback, () => Promise.reject(new SessionStoreError('INVALID_ID', 'the id is too long')))
    },
  }),
  'policy/ids/destroy-of-what-all-and-ids-name-ends-the-session': (right) => ({
    destroy: (id: string, callback?: Callback) =>
      answer(callback, async () => {
        if (await right.get(id)) await right.destroy(id)
      }),
  }),
  'policy/ids/a-numeric-id-is-refused': (right) => makeGet((id) => right.get(String(id))),
}
