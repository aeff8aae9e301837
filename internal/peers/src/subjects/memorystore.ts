import type { Subject } from '@session-stores/conformance'
import session, { type SessionData } from 'express-session'
import memorystore from 'memorystore'
import { versions } from '../versions.ts'

const MemoryStore = memorystore(session)

const subject: Subject = {
  name: 'memorystore',
  versions: versions(['memorystore']),
  accepts: ['ttl', 'ttlOf', 'pruneInterval'],
  make({ ttl, ttlOf, pruneInterval }) {
    const store = new MemoryStore({
      ...(ttl !== undefined && { ttl }),
      ...(ttlOf && { ttl: (_options: unknown, session: SessionData) => ttlOf(session) }),
      // It has none by default.
      ...(pruneInterval && { checkPeriod: pruneInterval }),
    })
    return {
      stores: [store],
      // With those that have ended.
      stored: () =>
        new Promise<number>((resolve, reject) => {
          store.length((error, count) => (error ? reject(error) : resolve(count!)))
        }),
      dispose: () => store.stopInterval(),
    }
  },
}

export default subject
