import type { SessionData } from 'express-session'
import { answer, type Callback, type Mutant } from './helpers.ts'

export const bulk: Readonly<Record<string, Mutant>> = {
  'policy/bulk/clear-removes-everything': (right) => ({
    clear: async () => {
      const { sessions } = await right.list({ limit: 500 })
      for (const { handle } of sessions) await right.revoke(handle)
    },
  }),
  'policy/bulk/close-waits-for-what-is-on-its-way': (right) => {
    let isClosed = false
    return {
      set: (id: string, session: SessionData, callback?: Callback) =>
        answer(callback, async () => {
          await new Promise(setImmediate)
          if (isClosed) throw new Error('closed')
          return right.set(id, session)
        }),
      async close() {
        isClosed = true
      },
    }
  },
  'policy/bulk/a-closed-store-says-so': () => ({ close: async () => {} }),
}
