import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Result } from '../engine/judge.ts'
import type { Report } from '../report/report.ts'
import type { Job, Message } from './child.ts'

export interface Ending extends Pick<Report, 'leaks' | 'stray'> {
  /** Why it ended before its time. */
  death?: string
  /** The module cannot be used; why. */
  unusable?: string
  /** It came to the rules. */
  ready?: Pick<Report, 'store' | 'versions'>
  /** The rules that had begun and were not done. */
  running: ReadonlySet<string>
  /** The calls of the rule, as code, where it was the only one. */
  calls: readonly string[]
}

/** Beside this file, as a source or built. */
const PROGRAM = import.meta.url.endsWith('.ts') ? './child.ts' : './child.mjs'

/** Checks rules in a process of its own, and ends it where its event loop stands still for the job's deadline. */
export async function checkIn(job: Job, done: (result: Result) => void): Promise<Ending> {
  const running = new Set<string>()
  const calls: string[] = []
  const ending: Ending = { running, calls, leaks: {}, stray: [] }
  let ended = false
  // What the store prints is no part of the report.
  const child = fork(new URL(PROGRAM, import.meta.url), [JSON.stringify(job)], {
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  const timer = setTimeout(() => {
    const what = ending.ready ? 'the event loop stands still' : 'loading it comes to no end'
    if (!ended) ending.death = `${what}: nothing was heard for ${job.deadline} ms`
    child.kill('SIGKILL')
  }, job.deadline)
  child.on('message', (message: Message) => {
    if (message.is === 'ready') ending.ready = { store: message.store, versions: message.versions }
    else if (message.is === 'unusable') ending.unusable = message.reason
    else if (message.is === 'started') running.add(message.id)
    else if (message.is === 'called') calls.push(message.line)
    else if (message.is === 'done') {
      running.delete(message.result.id)
      done(message.result)
    } else if (message.is === 'ended') {
      ended = true
      ending.leaks = message.leaks
      ending.stray = message.stray
    }
    if (ending.ready) timer.refresh()
  })
  // The last messages may come after the end.
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(child, 'disconnect')])
  clearTimeout(timer)
  if (!ended) ending.death ??= `the process ended ${signal ? `by ${signal}` : `with code ${code}`}`
  return ending
}
