import { SessionStoreError, type Write } from '@session-stores/core'
import { sizeOf } from './statements.ts'

/** MongoDB takes documents and commands of 16 MiB. */
const MAX_SIZE = 16 * 1024 * 1024
/** How much of that goes with a payload, at most: its key and tags, twice, and the names of the fields. */
const OVERHEAD = 4096
/** In bytes. */
export const MAX_PAYLOAD: number = MAX_SIZE - OVERHEAD

/** As many at a time as a command holds. Throws where one alone is too large. */
export function* parts(writes: readonly Write[]): Generator<Write[]> {
  let [part, size]: [Write[], number] = [[], 0]
  for (const write of writes) {
    const payload = sizeOf(write.data)
    if (payload > MAX_PAYLOAD)
      throw new SessionStoreError('PAYLOAD_TOO_LARGE', 'the session is larger than MongoDB takes (16 MiB)')
    const bytes = payload + OVERHEAD
    if (size + bytes > MAX_SIZE) {
      yield part
      ;[part, size] = [[], 0]
    }
    part.push(write)
    size += bytes
  }
  yield part
}
