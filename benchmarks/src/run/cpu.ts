import { readdirSync, readFileSync } from 'node:fs'
import { ifThere } from '@session-stores/testbed'

/**
 * Returns the nanoseconds of CPU time that each thread of the processes has used. Omits what has
 * ended: a thread takes its time with it, so that a sum over a process may become smaller.
 */
export function cpuTimes(pids: readonly number[]): Record<number, number> {
  return Object.fromEntries(
    pids.flatMap((pid) =>
      (ifThere(() => readdirSync(`/proc/${pid}/task`)) ?? []).flatMap((thread) => {
        const used = ifThere(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'))
        return used === undefined ? [] : [[thread, Number(used.split(' ')[0])]]
      }),
    ),
  )
}
