import { openSubject } from '../../src/subjects/open.ts'
import type { Open } from '../../src/subjects/subject.ts'

/** RedisStore that ends its process in its thousandth lookup. */
export const open: Open = async (place) => {
  const subject = await openSubject('ours-redis', place)
  const get = subject.store.get.bind(subject.store)
  let asked = 0
  subject.store.get = (id, done) => {
    if (++asked === 1000) throw new RangeError('planted')
    get(id, done)
  }
  return subject
}
