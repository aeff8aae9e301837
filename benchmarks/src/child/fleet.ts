import type { WarmUp } from '../plan/scale.ts'
import { addProcesses } from '../results/merge.ts'
import type { Measurement } from '../results/results.ts'
import { openSubject } from '../subjects/open.ts'
import type { FleetAnswer, FleetMessage } from './fleet-process.ts'
import { Meter } from './meter.ts'
import { pass, report, usage } from './parent.ts'
import { Helper, sharedClock } from './processes.ts'
import type { FleetJob, Point } from './protocol.ts'
import { fill } from './sessions.ts'
import { inTurn } from './store.ts'
import { idsOf } from './workload.ts'

/** Milliseconds in which all processes receive their message before the operations begin. */
const LEAD = 20
/** Milliseconds of a warm-up between two looks at the number of operations. */
const WARM_UP_STEP = 1000

/**
 * Measures several processes that work at the same time. Each opens a store of its own and uses its
 * own share of the sessions, so that no session is in use twice at a time.
 */
export async function runFleet(job: FleetJob): Promise<void> {
  const { subject, place, payload, points } = job
  const { store, settle } = await openSubject(subject, place)
  const ids = idsOf(job.stored)
  await fill(store, ids, payload)
  settle?.()
  const most = Math.max(...points.map(({ parameters }) => parameters.processes!))
  const helpers = Array.from(
    { length: most },
    () => new Helper(new URL('./fleet-process.ts', import.meta.url)),
  )
  const share = Math.floor(ids.length / most)
  await Promise.all(
    helpers.map((helper, index) => {
      const own = ids.slice(index * share, (index + 1) * share)
      return helper.ask({ kind: 'open', subject, place, ids: own, payload } satisfies FleetMessage)
    }),
  )
  await pass()
  const meter = new Meter(usage)
  for (const warmUp of job.warmUps) await warmAll(helpers, points[0]!, warmUp, meter)
  for await (const [index, point] of inTurn(job)) {
    const working = helpers.slice(0, point.parameters.processes)
    report({ kind: 'measured', index, measurement: await measureAll(working, point, meter) })
  }
  for (const helper of helpers) helper.end()
}

/** Lets the processes work until they have made so many operations, or the time is over. */
async function warmAll(
  helpers: readonly Helper[],
  point: Point,
  { concurrency, operations, duration }: WarmUp,
  meter: Meter,
): Promise<void> {
  const parameters = { ...point.parameters, concurrency }
  const end = sharedClock() + duration
  let made = 0
  for (let left = duration; left > 0 && made < operations * helpers.length; left = end - sharedClock()) {
    const step = { ...point, parameters, warmUp: 0, duration: Math.min(left, WARM_UP_STEP) }
    made += (await measureAll(helpers, step, meter)).operations
  }
}

/** Lets the processes begin, count and end at the same times, and adds up what they did. */
async function measureAll(helpers: readonly Helper[], point: Point, meter: Meter): Promise<Measurement> {
  await meter.startServer()
  const begin = sharedClock() + LEAD
  const from = begin + point.warmUp
  const times = { begin, from, until: from + point.duration }
  const answers = await Promise.all(
    helpers.map((helper) =>
      helper.ask<FleetAnswer>({ kind: 'measure', point, times } satisfies FleetMessage),
    ),
  )
  const begun = answers.reduce((sum, answer) => sum + answer.begun, 0)
  const costs = await meter.stopServer(begun)
  return { ...addProcesses(answers.map(({ measurement }) => measurement)), ...costs }
}
