import { setTimeout as sleep } from 'node:timers/promises'
import { openSubject } from '../subjects/open.ts'
import { Meter } from './meter.ts'
import { pass, report, usage } from './parent.ts'
import type { PruningJob } from './protocol.ts'
import { fill, idOf } from './sessions.ts'
import { measure, prepare } from './store.ts'
import { fillWorkload } from './workload.ts'

/** In milliseconds. */
const MAX_AGE = 100
const UNTIL_EXPIRED = 1500

/**
 * Measures lookups at a constant rate, first undisturbed and then while expired sessions are
 * removed.
 */
export async function runPruning(job: PruningJob): Promise<void> {
  const { store, prune, settle } = await openSubject(job.subject, job.place)
  const workload = await fillWorkload(store, job.stored, job.payload, false)
  const ids = Array.from({ length: job.expired }, (_, index) => idOf(`pruned ${index}`))
  // The slowest subject determines when all of them continue.
  await fill(store, ids, job.payload, MAX_AGE)
  settle?.()
  const areExpired = sleep(UNTIL_EXPIRED)
  await pass()
  await areExpired
  const meter = new Meter(usage)
  for (const [index, point] of job.points.entries()) {
    // Pruning starts within the measurement because some packages prune in one blocking step.
    const pruned = point.operation === 'lookup-pruning' && sleep(point.duration / 10).then(() => prune!())
    const measurement = await measure(await prepare(workload, point), point, meter)
    report({ kind: 'measured', index, measurement })
    await pruned
  }
}
