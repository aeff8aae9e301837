import type { Measurement, OperationName } from '../results.ts'
import { openSubject } from '../subjects/open.ts'
import { closedLoop } from './closed-loop.ts'
import { Meter } from './meter.ts'
import { openLoop } from './open-loop.ts'
import { operations } from './operations.ts'
import { report, usage } from './parent.ts'
import type { FillJob, Point, StoreJob } from './protocol.ts'
import { fill } from './sessions.ts'
import { fillWorkload, findWorkload, idsOf, type Workload } from './workload.ts'

/** Measures a store by itself. */
export async function runStore(job: StoreJob): Promise<void> {
  const { store, settle } = await openSubject(job.subject, job.place)
  const withExpired = job.points.some(({ operation }) => operation === 'lookup-expired')
  const workload = job.filled
    ? await findWorkload(store, job.stored, job.payload)
    : await fillWorkload(store, job.stored, job.payload, withExpired)
  settle?.()
  const meter = new Meter(usage)
  await warm(workload, job, job.filled ? ['lookup'] : ['lookup-touch', 'save'], meter)
  for (const [index, point] of job.points.entries()) {
    report({ kind: 'measured', index, measurement: await measure(workload, point, meter) })
  }
}

/**
 * Lets the engine see, and compile, what will be measured; with the meter, whose own messages use the streams that
 * the stores use: seen for the first time, they throw away what the engine made of those.
 */
export async function warm(
  workload: Workload,
  { payload, stored, warmUp }: Pick<StoreJob, 'payload' | 'stored' | 'warmUp'>,
  operations: readonly OperationName[],
  meter: Meter,
): Promise<void> {
  const parameters = { payload, stored, concurrency: 32 }
  for (const operation of operations)
    await measure(workload, { operation, parameters, warmUp: 0, duration: warmUp }, meter)
}

/** Stores the sessions that later jobs read. */
export async function runFill({ subject, place, stored, payload }: FillJob): Promise<void> {
  const { store, settle } = await openSubject(subject, place)
  await fill(store, idsOf(stored), payload)
  settle?.()
}

/** A point, warm-up first. */
export async function measure(
  workload: Workload,
  { operation: name, parameters, warmUp, duration }: Point,
  meter: Meter,
): Promise<Measurement> {
  const { concurrency, rate } = parameters
  const operation = await operations[name as keyof typeof operations](workload)
  const { step, size } = operation
  const loop = (duration: number, meter: Meter) =>
    rate === undefined
      ? closedLoop(step, { concurrency, duration, size }, meter)
      : openLoop(step, { rate, duration, size }, meter)
  if (warmUp > 0) await loop(warmUp, meter)
  const measurement = await loop(duration, meter)
  const wrong = (await operation.verify?.()) ?? 0
  if (wrong === 0) return measurement
  const failure = measurement.failure ?? 'the stored session is not the one saved last'
  return { ...measurement, wrong: measurement.wrong + wrong, failure }
}
