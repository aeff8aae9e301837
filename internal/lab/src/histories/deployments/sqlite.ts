import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { startPlace } from '../place.ts'
import type { Fault } from '../scene.ts'
import type { Deployment, DeploymentInfo } from './deployment.ts'

/** One file that several processes use, some of which die with the lock. */
export async function startSqliteProcesses(info: DeploymentInfo): Promise<Deployment> {
  const place = await startPlace('sqlite')
  const faults: Record<string, Fault> = {
    async 'holder of the write lock killed'(scene) {
      const holder = await hold(place.direct, 'writes')
      await pause(scene.random() * 500)
      await end(holder)
    },
    async 'killed while it copies the log into the file'(scene) {
      const holder = await hold(place.direct, 'checkpoints')
      await pause(scene.random() * 200)
      await end(holder)
    },
    async 'holder of the write lock stopped'(scene) {
      const holder = await hold(place.direct, 'writes')
      holder.kill('SIGSTOP')
      await pause(scene.random() * 900)
      await end(holder)
    },
  }
  return { ...place, deployment: { ...info, faults, calls: 40 } }
}

async function hold(path: string, what: 'writes' | 'checkpoints'): Promise<ChildProcess> {
  const child = fork(new URL('./lock-holder.ts', import.meta.url), [path, what], { execArgv: [] })
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`the holder of the lock ended with ${code}`)),
    ),
  ])
  return child
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
