import { openSubject } from '../subjects/open.ts'
import { report } from './parent.ts'
import type { ReclaimJob } from './protocol.ts'
import { fill, idOf } from './sessions.ts'

/** Stores the sessions and never resolves. The parent ends this process. */
export async function runReclaim({ subject, place, sessions, life }: ReclaimJob): Promise<void> {
  const { store, settle } = await openSubject(subject, place)
  const ids = Array.from({ length: sessions }, (_, index) => idOf(`reclaimed ${index}`))
  await fill(store, ids, 0, life)
  settle?.()
  report({ kind: 'filled', deadline: Date.now() + life })
  return new Promise(() => {})
}
