import type { Subject } from '@session-stores/conformance'
import session, { type SessionData } from 'express-session'
import memorystore from 'memorystore'
import { readVersions } from '../versions.ts'

const MemoryStore = memorystore(session)

const subject: Subject = {
  name: 'memorystore',
  versions: readVersions(['memorystore']),
  accepts: ['ttl', 'ttlOf', 'pruneInterval'],
  make({ ttl, ttlOf, pruneInterval }) {
    const store = new MemoryStore({
      ...(ttl !== undefined && { ttl }),
      ...(ttlOf && { ttl: (_options: unknown, session: SessionData) => ttlOf(session) }),
      // By default the store does not prune.
      ...(pruneInterval && { checkPeriod: pruneInterval }),
    })
    return {
      stores: [store],
      // `length` includes expired sessions.
      stored: () =>
        new Promise<number>((resolve, reject) => {
          store.length((error, count) => (error ? reject(error) : resolve(count!)))
        }),
      dispose: () => store.stopInterval(),
    }
  },
}

export default subject
