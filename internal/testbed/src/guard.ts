import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

let guard: ChildProcess | undefined

/**
 * Tells the guard which pids to kill and which folders to remove when this process ends. The guard
 * reads a pipe, which the system closes even after a SIGKILL.
 */
export function tellGuard(verb: 'add' | 'drop', what: 'pid' | 'folder', value: number | string): void {
  if (!guard) {
    // The guard is detached because a Ctrl-C in the terminal must not end it before it cleans up.
    // Its environment is empty because the test runner's NODE_OPTIONS must not affect it.
    guard = spawn(process.execPath, [join(import.meta.dirname, 'guard-process.ts')], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
      env: {},
    })
    guard.unref()
    ;(guard.stdin as unknown as { unref(): void }).unref()
  }
  guard.stdin!.write(`${JSON.stringify({ verb, what, value })}\n`)
}
