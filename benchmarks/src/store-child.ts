import { answer, type Job, type Result } from './child.ts'
import { run } from './loop.ts'
import { scenarios } from './scenarios.ts'
import { type Subject, subjects } from './subjects.ts'
import type { StoreScenario } from './suites.ts'
import { prepare, verify } from './workload.ts'

/** Measures a store by itself. */
async function measure(job: Job): Promise<Result[]> {
  const { store, settle }: Subject = await subjects[job.subject](job.place)
  const workload = await prepare(store, job.sessions)
  settle?.()
  const results: Result[] = []
  for (const { scenario, concurrency } of job.cells) {
    const step = scenarios[scenario as StoreScenario](workload)
    const { length: size } =
      scenario === 'touch' || scenario === 'save' || scenario === 'set' ? workload.pool : workload.ids
    await run(step, { concurrency, size, duration: job.warmUp })
    globalThis.gc!()
    results.push({
      scenario,
      concurrency,
      ...(await run(step, { concurrency, size, duration: job.duration })),
    })
    await verify(workload)
  }
  return results
}

answer(measure)
