import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Result } from '../engine/judge.ts'
import type { Report } from '../report/report.ts'
import type { Job, Message } from './child.ts'

/** What is known of a process that has ended. */
export interface Ending extends Pick<Report, 'leaks' | 'stray'> {
  /** Why the process ended before all rules were done. */
  death?: string
  /** Why the module cannot be used. */
  unusable?: string
  /** Set once the module is loaded. */
  ready?: Pick<Report, 'store' | 'versions'>
  /** The ids of the rules that had begun and were not done. */
  running: ReadonlySet<string>
  /** The calls of the rule, as code, if the process had a single rule. */
  calls: readonly string[]
}

/** The program is next to this file, as source code and in the build. */
const PROGRAM = import.meta.url.endsWith('.ts') ? './child.ts' : './child.mjs'

/** The shortest time limit for loading, in milliseconds, because a busy machine loads slowly. */
const LOADING = 10_000

/**
 * Checks rules in a process of their own. Kills the process if its event loop is blocked for as
 * long as the deadline of the job.
 */
export async function checkInProcess(job: Job, done: (result: Result) => void): Promise<Ending> {
  const running = new Set<string>()
  const calls: string[] = []
  const ending: Ending = { running, calls, leaks: {}, stray: [] }
  let ended = false
  // The report goes to stdout, so whatever the store prints goes to stderr.
  const child = fork(new URL(PROGRAM, import.meta.url), [JSON.stringify(job)], {
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  const kill = (reason: string, limit: number): void => {
    if (!ended) ending.death = `${reason}: no message for ${limit} ms`
    child.kill('SIGKILL')
  }
  const loading = Math.max(job.deadline, LOADING)
  let timer = setTimeout(kill, loading, 'loading timed out', loading)
  child.on('message', (message: Message) => {
    if (message.is === 'ready') {
      ending.ready = { store: message.store, versions: message.versions }
      clearTimeout(timer)
      timer = setTimeout(kill, job.deadline, 'the event loop is blocked', job.deadline)
    } else if (message.is === 'unusable') ending.unusable = message.reason
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
  // The last messages may arrive after `exit`, but never after `disconnect`.
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(child, 'disconnect')])
  clearTimeout(timer)
  if (!ended) ending.death ??= `the process ended ${signal ? `by ${signal}` : `with code ${code}`}`
  return ending
}
