import { join } from 'node:path'
import session from 'express-session'
import type { Subjects } from './subject.ts'

/** One day in milliseconds. */
const DAY = 86_400_000

/** The subjects that keep sessions in the process's memory or in files. */
export const localSubjects: Subjects = {
  async 'ours-memory'() {
    const { memoryDriver, SessionStore } = await import('@session-stores/core')
    const store = new SessionStore(memoryDriver())
    return { store, prune: () => store.prune() }
  },
  async MemoryStore() {
    return { store: new session.MemoryStore() }
  },
  async memorystore() {
    const { default: factory } = await import('memorystore')
    // The README recommends a period. Without one, nothing would ever be removed.
    const store = new (factory(session))({ checkPeriod: DAY })
    return { store, prune: async () => store.prune() }
  },
  async 'session-file-store'({ folder }) {
    const { default: factory } = await import('session-file-store')
    return { store: new (factory(session))({ path: join(folder, 'sessions'), logFn() {} }) }
  },
}
