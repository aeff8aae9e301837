import { readFileSync } from 'node:fs'

/**
 * Returns the pids of a process and its descendants: PostgreSQL has a process for each connection.
 * Those that have ended meanwhile may be missing.
 */
export function processesOf(pid: number): number[] {
  const children = ifThere(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()) ?? ''
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => processesOf(Number(child))))]
}

/** Sends a signal to processes. Those that have ended, as the process of a connection may, get none. */
export function sendSignal(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) ifThere(() => process.kill(pid, signal))
}

/** Returns what `use` returns, or `undefined` where the process or thread that it is about has ended. */
export function ifThere<T>(use: () => T): T | undefined {
  try {
    return use()
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
