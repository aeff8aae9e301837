import { readdirSync, readFileSync } from 'node:fs'

/** Nanoseconds of CPU time that these processes have used, all threads, by process; without those that have ended. */
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
