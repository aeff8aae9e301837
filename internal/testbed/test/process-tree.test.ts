import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { processesOf, sendSignal } from '../src/process-tree.ts'

test('a process and its children are found, and those that have ended get no signal', async () => {
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const pid = parent.pid!
  onTestFinished(() => sendSignal(processesOf(pid), 'SIGKILL'))
  const [child] = await once(parent.stdout!, 'data')
  const pids = processesOf(pid)
  expect(pids).toEqual([pid, Number(child)])

  sendSignal([Number(child)], 'SIGKILL')
  await once(parent, 'exit')
  expect(processesOf(pid)).toEqual([pid])
  expect(() => sendSignal(pids, 'SIGSTOP')).not.toThrow()
})
