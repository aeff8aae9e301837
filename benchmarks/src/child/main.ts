import { report } from './parent.ts'
import type { Job } from './protocol.ts'

/** The process of one job. It receives the job as its first message and ends with its parent. */
process.once('message', async (job) => {
  try {
    await run(job as Job)
    report({ kind: 'done' })
  } catch (error) {
    report({ kind: 'failed', reason: String(error) })
  }
})
process.on('disconnect', () => process.exit())

async function run(job: Job): Promise<void> {
  if (job.kind === 'http') return (await import('./http.ts')).runHttp(job)
  if (job.kind === 'fleet') return (await import('./fleet.ts')).runFleet(job)
  if (job.kind === 'expiry') return (await import('./expiry.ts')).runExpiry(job)
  if (job.kind === 'pruning') return (await import('./pruning.ts')).runPruning(job)
  if (job.kind === 'reclaim') return (await import('./reclaim.ts')).runReclaim(job)
  const { runFill, runStore } = await import('./store.ts')
  return job.kind === 'fill' ? runFill(job) : runStore(job)
}
