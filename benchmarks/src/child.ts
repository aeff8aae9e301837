import { type ChildProcess, fork } from 'node:child_process'
import type { Measurement } from './loop.ts'
import type { Place, SubjectName } from './subjects.ts'
import type { Scenario } from './suites.ts'

/** What one process measures: every scenario of one subject, in the order given. */
export interface Job {
  subject: SubjectName
  place: Place
  /** How many are stored. */
  sessions: number
  cells: readonly { scenario: Scenario; concurrency: number }[]
  /** Milliseconds, for each cell. */
  warmUp: number
  duration: number
}

export interface Result extends Measurement {
  scenario: Scenario
  concurrency: number
}

/** The modules that measure a job, each run in a process of its own. */
export const modules: Record<'store' | 'http' | 'load', URL> = {
  store: new URL('./store-child.ts', import.meta.url),
  http: new URL('./http-child.ts', import.meta.url),
  load: new URL('./http-load.ts', import.meta.url),
}

/** Starts a module in a fresh process; nothing in it is warm, nothing of another subject is in its heap. */
export function start(module: URL): ChildProcess {
  return fork(module, { execArgv: ['--expose-gc'], serialization: 'advanced' })
}

/** Sends a question and waits for the answer; rejects if the process ends without one. */
export function ask<Question extends object, Answer>(
  child: ChildProcess,
  question: Question,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(new Error(`the process ended with ${code} before its answer`))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      resolve(answer as Answer)
    })
    child.send(question)
  })
}

/** In the child: answers each question; an error ends the process, and so does the end of its parent. */
export function answer<Question, Answer>(reply: (question: Question) => Promise<Answer>): void {
  process.on('message', async (question) => {
    process.send!(await reply(question as Question))
  })
  process.on('disconnect', () => process.exit())
}
