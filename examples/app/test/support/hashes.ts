import { createHook } from 'node:async_hooks'
import { onTestFinished } from 'vitest'

export interface HashCounts {
  started: number
  /** The maximum number of hashes that ran or waited for a thread at the same time. */
  mostAtOnce: number
}

/** Counts the scrypt computations of this process until the test ends. */
export function countHashes(): HashCounts {
  const counts: HashCounts = { started: 0, mostAtOnce: 0 }
  const open = new Set<number>()
  const hook = createHook({
    init(id, type) {
      if (type !== 'SCRYPTREQUEST') return
      open.add(id)
      counts.started++
      counts.mostAtOnce = Math.max(counts.mostAtOnce, open.size)
    },
    before: (id) => open.delete(id),
  }).enable()
  onTestFinished(() => void hook.disable())
  return counts
}
