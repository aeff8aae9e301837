import { openSubject } from '../../src/subjects/open.ts'
import type { Open } from '../../src/subjects/subject.ts'

/** RedisStore with a lookup that asks again: one round trip more. */
export const open: Open = async (place) => {
  const subject = await openSubject('ours-redis', place)
  const get = subject.store.get.bind(subject.store)
  subject.store.get = (id, done) => get(id, () => get(id, done))
  return subject
}
