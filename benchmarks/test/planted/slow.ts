import { openSubject } from '../../src/subjects/open.ts'
import type { Open } from '../../src/subjects/subject.ts'

/** RedisStore with a lookup that takes a millisecond more. */
export const open: Open = async (place) => {
  const subject = await openSubject('ours-redis', place)
  const get = subject.store.get.bind(subject.store)
  subject.store.get = (id, done) => void setTimeout(() => get(id, done), 1)
  return subject
}
