import type { Measurement, OperationName } from '../results/results.ts'
import { openSubject } from '../subjects/open.ts'
import { closedLoop } from './closed-loop.ts'
import { Meter } from './meter.ts'
import { openLoop } from './open-loop.ts'
import type { Operation } from './operation.ts'
import { operations } from './operations.ts'
import { pass, report, usage } from './parent.ts'
import type { FillJob, Point, StoreJob } from './protocol.ts'
import { fill } from './sessions.ts'
import { fillWorkload, findWorkload, idsOf, type Workload } from './workload.ts'

/** Measures a store without an application. */
export async function runStore(job: StoreJob): Promise<void> {
  const { store, settle, makeVerify } = await openSubject(job.subject, job.place)
  const withExpired = job.points.some(({ operation }) => operation === 'lookup-expired')
  const filled = job.filled
    ? await findWorkload(store, job.stored, job.payload)
    : await fillWorkload(store, job.stored, job.payload, withExpired)
  const workload: Workload = { ...filled, ...(makeVerify && { makeVerify }) }
  settle?.()
  await pass()
  const meter = new Meter(usage)
  await warm(workload, job, job.filled ? ['lookup'] : ['lookup-touch', 'save'], meter)
  const prepared: Operation[] = []
  for await (const [index, point] of inTurn(job)) {
    prepared[index] ??= await prepare(workload, point)
    report({ kind: 'measured', index, measurement: await measure(prepared[index], point, meter) })
  }
}

/**
 * Yields the points of a job with their indexes, pass by pass, each when it is this subject's turn.
 */
export async function* inTurn({
  points,
  passes,
}: Pick<StoreJob, 'points' | 'passes'>): AsyncGenerator<[index: number, point: Point]> {
  for (let times = 0; times < passes; times++)
    for (const [index, point] of points.entries()) {
      await pass()
      yield [index, times === 0 ? point : { ...point, warmUp: point.warmUpAgain }]
    }
}

/**
 * Lets the engine compile the code that will be measured. The meter is part of it: its messages use
 * the same streams as the stores, and their first use would discard the engine's optimizations.
 */
export async function warm(
  workload: Workload,
  { payload, stored, warmUp, warmUpAlone = 0 }: WarmUp,
  operations: readonly OperationName[],
  meter: Meter,
): Promise<void> {
  const loads = [
    [32, warmUp],
    [1, warmUpAlone],
  ] as const
  for (const [concurrency, duration] of loads)
    for (const operation of duration > 0 ? operations : []) {
      const parameters = { payload, stored, concurrency }
      const point = { operation, parameters, warmUp: 0, warmUpAgain: 0, duration }
      await measure(await prepare(workload, point), point, meter)
    }
}

type WarmUp = Pick<StoreJob, 'payload' | 'stored' | 'warmUp'> & Partial<Pick<StoreJob, 'warmUpAlone'>>

/** Stores the sessions that later jobs read. */
export async function runFill({ subject, place, stored, payload }: FillJob): Promise<void> {
  const { store, settle } = await openSubject(subject, place)
  await fill(store, idsOf(stored), payload)
  settle?.()
}

/** Creates the operation of a point. It keeps its state from pass to pass. */
export async function prepare(workload: Workload, { operation }: Point): Promise<Operation> {
  return operations[operation as keyof typeof operations](workload)
}

/** Measures a point after its warm-up. */
export async function measure(
  operation: Operation,
  { parameters, warmUp, duration }: Point,
  meter: Meter,
): Promise<Measurement> {
  const { concurrency, rate } = parameters
  const { step, size } = operation
  await operation.begin?.()
  if (rate !== undefined && warmUp > 0) await openLoop(step, { rate, duration: warmUp, size }, meter)
  const measurement = await (rate === undefined
    ? closedLoop(step, { concurrency, warmUp, duration, size }, meter)
    : openLoop(step, { rate, duration, size }, meter))
  await operation.end?.()
  const wrong = (await operation.verify?.()) ?? 0
  await operation.restore?.()
  if (wrong === 0) return measurement
  const failure = measurement.failure ?? 'the stored session is not the one saved last'
  return { ...measurement, wrong: measurement.wrong + wrong, failure }
}
