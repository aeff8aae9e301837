import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

let guard: ChildProcess | undefined

/**
 * Says to this process's guard what must go when this process is gone, however it ends: `add` or `drop`, a `pid` to
 * kill or a `folder` to remove. The guard reads a pipe; the system closes it even after a SIGKILL.
 */
export function tell(verb: 'add' | 'drop', what: 'pid' | 'folder', value: number | string): void {
  if (!guard) {
    // Detached: a Ctrl-C in the terminal must not end the guard before its work is done. No environment: the test
    // runner's NODE_OPTIONS are not meant for it.
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
