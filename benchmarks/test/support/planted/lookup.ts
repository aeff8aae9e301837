import type session from 'express-session'
import { openSubject } from '../../../src/subjects/open.ts'
import type { Open } from '../../../src/subjects/subject.ts'

type Get = session.Store['get']

/** Opens a RedisStore whose lookup is replaced. */
export const withLookup =
  (change: (get: Get) => Get): Open =>
  async (place) => {
    const subject = await openSubject('ours-redis', place)
    subject.store.get = change(subject.store.get.bind(subject.store))
    return subject
  }
