/**
 * The guard: a process of its own that reads, line by line, what the process that started it holds. When that process
 * is gone the pipe ends, and what it still held is killed and removed.
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
    // It was gone already.
  }
}
// A server that is only just dying may still write a file; removal is tried again then.
for (const folder of held.folder) rmSync(folder, { recursive: true, force: true, maxRetries: 20 })
