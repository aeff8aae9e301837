import { readdirSync, readFileSync } from 'node:fs'

/**
 * Returns the nanoseconds of CPU time that each process has used in all threads. Omits ended
 * processes.
 */
export function cpuTimes(pids: readonly number[]): Record<number, number> {
  return Object.fromEntries(
    pids.flatMap((pid) => {
      try {
        const times = readdirSync(`/proc/${pid}/task`).map((task) =>
          Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
        )
        return [[pid, times.reduce((sum, time) => sum + time, 0)]]
      } catch {
        return []
      }
    }),
  )
}
