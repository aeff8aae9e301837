/**
 * The process that a store is checked in, so that it may block, crash and leave open what it likes:
 * `node child.js <job>`. Tells its parent what happens, and ends whatever is still open.
 */
import { parse } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Result } from '../engine/judge.ts'
import { messageOf } from '../engine/message.ts'
import { caller, run } from '../engine/run.ts'
import { rules } from '../rules/index.ts'
import { load } from './load.ts'

/** From the parent, as JSON. */
export interface Job {
  module: string
  /** The ids of the rules. */
  rules: readonly string[]
  deadline: number
  concurrency: number
}

/** To the parent. */
export type Message =
  /** The event loop turns. */
  | { is: 'alive' }
  | { is: 'unusable'; reason: string }
  | { is: 'ready'; store: string; versions: Readonly<Record<string, string>> }
  | { is: 'started'; id: string }
  /** What the rule calls, where it is the only one. */
  | { is: 'called'; line: string }
  | { is: 'done'; result: Result }
  | { is: 'ended'; leaks: Readonly<Record<string, number>>; stray: readonly string[] }

/** Milliseconds for what `dispose` has closed to be gone. */
const SETTLED = 1000

const job = JSON.parse(process.argv[2]!) as Job
const tell = (message: Message): Promise<void> =>
  new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()))
process.on('disconnect', () => process.exit())
setInterval(() => tell({ is: 'alive' }), 200).unref()

const subject = await load(job.module).catch(async (error: Error) => {
  await tell({ is: 'unusable', reason: error.message })
  process.exit()
})
const { name = parse(job.module).name, versions = {} } = subject
tell({ is: 'ready', store: name, versions })

const before = open()
const stray = new Set<string>()
function astray(error: unknown, rule = caller()): void {
  stray.add(rule ? `${messageOf(error)} (of what ${rule.id} called)` : messageOf(error))
}
await run(
  subject,
  rules.filter(({ id }) => job.rules.includes(id)),
  {
    deadline: job.deadline,
    concurrency: job.concurrency,
    started: ({ id }) => tell({ is: 'started', id }),
    called: job.rules.length === 1 ? (_, line) => tell({ is: 'called', line }) : undefined,
    progress: (result) => tell({ is: 'done', result }),
    stray: astray,
  },
)
process.on('uncaughtException', (error) => astray(error))
const end = performance.now() + SETTLED
while (performance.now() < end && left().length > 0) await wait(10)
await tell({ is: 'ended', leaks: Object.fromEntries(left()), stray: [...stray] })
process.exit()

/** What keeps the process running, by name. */
function open(): Map<string, number> {
  const names = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) names.set(name, (names.get(name) ?? 0) + 1)
  return names
}

/** What of it was not there before the first rule. */
function left(): [name: string, number: number][] {
  return [...open()]
    .map(([name, number]): [string, number] => [name, number - (before.get(name) ?? 0)])
    .filter(([, number]) => number > 0)
}
