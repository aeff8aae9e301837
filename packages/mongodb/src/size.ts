import { SessionStoreError, type Write } from '@session-stores/core'
import { sizeOf } from './row.ts'

/** The largest document, and the largest command, that MongoDB takes. Bytes. */
const MAX_SIZE = 16 * 1024 * 1024
/** The most bytes that go with a payload: its key and tags, twice, and the names of the fields. */
const OVERHEAD = 4096
/** The largest payload, in bytes. */
export const MAX_PAYLOAD: number = MAX_SIZE - OVERHEAD

/**
 * Returns the writes in parts that each fit into one command.
 *
 * @throws SessionStoreError `PAYLOAD_TOO_LARGE` where one write alone is too large.
 */
export function* splitBySize(writes: readonly Write[]): Generator<Write[]> {
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
