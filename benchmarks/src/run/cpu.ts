import { readdirSync, readFileSync } from 'node:fs'

/**
 * Returns the nanoseconds of CPU time that each thread of the processes has used. Omits what has
 * ended: a thread takes its time with it, so that a sum over a process may become smaller.
 */
export function cpuTimes(pids: readonly number[]): Record<number, number> {
  return Object.fromEntries(
    pids.flatMap((pid) =>
      readIfThere(() => readdirSync(`/proc/${pid}/task`)).flatMap((thread) =>
        readIfThere(() => [
          [thread, Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])],
        ]),
      ),
    ),
  )
}

function readIfThere<T>(read: () => T[]): T[] {
  try {
    return read()
  } catch {
    return []
  }
}
