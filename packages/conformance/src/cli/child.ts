/**
 * `node child.js <job>`: the process that checks a store, so that the store may block, crash and
 * leave resources open. Reports to its parent what happens, and exits even if something is still
 * open.
 */
import { parse } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { findCaller } from '../engine/blame.ts'
import { type Result, tryMake } from '../engine/judge.ts'
import { toMessage } from '../engine/message.ts'
import { run } from '../engine/run.ts'
import { rules } from '../rules/index.ts'
import { load } from './load.ts'
import { versionsOfMiddleware } from './versions.ts'

/** What the parent passes to the process, as JSON. */
export interface Job {
  /** The path of the module that exports the subject. */
  module: string
  /** The ids of the rules. */
  rules: readonly string[]
  /** Milliseconds after which a rule times out, and after which a blocked process is killed. */
  deadline: number
  /** How many rules run side by side. */
  concurrency: number
  /** Whether `make` is tried once before the rules run. */
  tries: boolean
}

/** What the process sends to its parent. */
export type Message =
  /** The event loop is not blocked. */
  | { is: 'alive' }
  | { is: 'unusable'; reason: string }
  | { is: 'ready'; store: string; versions: Readonly<Record<string, string>> }
  | { is: 'started'; id: string }
  /** A call of the rule. Only a process with a single rule sends its calls. */
  | { is: 'called'; line: string }
  | { is: 'done'; result: Result }
  | { is: 'ended'; leaks: Readonly<Record<string, number>>; stray: readonly string[] }

/** How long the resources that `dispose` closes may take to go away, in milliseconds. */
const CLOSE_TIMEOUT = 1000

const job = JSON.parse(process.argv[2]!) as Job
const send = (message: Message): Promise<void> =>
  new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()))
process.on('disconnect', () => process.exit())
setInterval(() => send({ is: 'alive' }), 200).unref()

const refuse = async (reason: string): Promise<never> => {
  await send({ is: 'unusable', reason })
  process.exit()
}
const subject = await load(job.module).catch((error: Error) => refuse(error.message))
const { name = parse(job.module).name, versions = {} } = subject
send({ is: 'ready', store: name, versions: { ...versionsOfMiddleware(), ...versions } })

const before = countResources()
const stray = new Set<string>()
function addStray(error: unknown, rule = findCaller()): void {
  stray.add(rule ? `${toMessage(error)} (in code that ${rule.id} called)` : toMessage(error))
}
if (job.tries) {
  const uncaught = (error: unknown) => addStray(error)
  process.on('uncaughtException', uncaught)
  await tryMake(subject, job.deadline).catch((error: Error) =>
    refuse(`${job.module} cannot be checked: ${error.message}`),
  )
  process.off('uncaughtException', uncaught)
}
await run(
  subject,
  rules.filter(({ id }) => job.rules.includes(id)),
  {
    deadline: job.deadline,
    concurrency: job.concurrency,
    started: ({ id }) => send({ is: 'started', id }),
    called: job.rules.length === 1 ? (_, line) => send({ is: 'called', line }) : undefined,
    progress: (result) => send({ is: 'done', result }),
    stray: addStray,
  },
)
process.on('uncaughtException', (error) => addStray(error))
const end = performance.now() + CLOSE_TIMEOUT
while (performance.now() < end && findLeaks().length > 0) await wait(10)
await send({ is: 'ended', leaks: Object.fromEntries(findLeaks()), stray: [...stray] })
process.exit()

/** Counts the resources that keep the process running, by name. */
function countResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** Counts the resources that were not there before the first rule. */
function findLeaks(): [name: string, number: number][] {
  return [...countResources()]
    .map(([name, number]): [string, number] => [name, number - (before.get(name) ?? 0)])
    .filter(([, number]) => number > 0)
}
