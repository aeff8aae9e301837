/**
 * The guard is a process that reads from a pipe which pids and folders another process holds. The
 * pipe ends with that process. Then the guard kills these pids and removes these folders.
 */
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

const held = { pid: new Set<number>(), folder: new Set<string>() }

for await (const line of createInterface({ input: process.stdin })) {
  const { verb, what, value } = JSON.parse(line)
  const set: Set<number | string> = held[what as keyof typeof held]
  if (verb === 'add') set.add(value)
  else set.delete(value)
}

for (const pid of held.pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // The process has already exited.
  }
}
// A dying server may still write files, so the removal is retried.
for (const folder of held.folder) rmSync(folder, { recursive: true, force: true, maxRetries: 20 })
