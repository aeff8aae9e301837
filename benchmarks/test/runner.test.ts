import assert from 'node:assert/strict'
import { redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { it } from 'vitest'
import type { StoreJob } from '../src/child/protocol.ts'
import type { PlannedJob } from '../src/plan/job.ts'
import { plan } from '../src/plan/plan.ts'
import { quick } from '../src/plan/scale.ts'
import type { Cell, Run } from '../src/results/results.ts'
import { compare } from '../src/results/summary.ts'
import { Recorder } from '../src/run/recorder.ts'
import { Runner } from '../src/run/run.ts'
import { infoOf } from '../src/subjects/catalogue.ts'
import { controlsRun } from './support/runs.ts'

/**
 * The fewest rounds whose interval excludes one round that something else on this machine
 * disturbed.
 */
const ROUNDS = 9
const scale = { ...quick, concurrencies: [1], stored: 128, rounds: ROUNDS }

/** A job with RedisStore that looks up with a concurrency of 1. */
const ours = ((): PlannedJob => {
  const jobs = plan({ stores: ['redis'], scenarios: ['lookup'] }, scale)
  const job = jobs.find(({ entry }) => entry.id === 'ours-redis')!
  const points = job.points.filter(({ operation }) => operation === 'lookup')
  return { ...job, points, make: (place) => ({ ...(job.make(place) as StoreJob), points }) }
})()

/** Returns the same job with a mutant of the store. */
function mutant(name: string): PlannedJob {
  const subject = new URL(`./support/planted/${name}.ts`, import.meta.url).href
  const entry = { ...ours.entry, id: name, name }
  return { ...ours, entry, make: (place) => ({ ...ours.make(place), subject }) }
}

async function measure(...jobs: PlannedJob[]): Promise<Run> {
  const run = { ...controlsRun([], []), cells: [], subjects: jobs.map(({ entry }) => infoOf(entry)) }
  const runner = new Runner(
    new Recorder(run, () => {}),
    { begin() {}, end() {} },
    new AbortController().signal,
  )
  try {
    await runner.all(jobs, ROUNDS)
  } finally {
    await runner.stop()
  }
  return run
}

const cellOf = (run: Run, subject: string): Cell => {
  const cell = run.cells.find((one) => one.subject === subject)
  assert.ok(cell, `nothing of ${subject}: ${JSON.stringify(run.missing)}`)
  return cell
}

// The harness starts its own servers. This server only shows whether one is available.
describeWith('the harness', redisProcess, () => {
  it('detects an additional millisecond and an additional round trip', async () => {
    const run = await measure(ours, mutant('slow'), mutant('twice'))
    const [mine, slow, twice] = [cellOf(run, 'ours-redis'), cellOf(run, 'slow'), cellOf(run, 'twice')]
    const latency = compare(slow, mine, 'p50')!
    assert.ok(latency.significant && latency.median > 1, JSON.stringify(latency))
    const rate = compare(slow, mine, 'opsPerSecond')!
    assert.ok(rate.significant && rate.median < 1, JSON.stringify(rate))
    const trips = compare(twice, mine, 'roundTrips')!
    assert.ok(Math.abs(trips.median - 2) < 0.05, JSON.stringify(trips))
  })

  it('detects wrong sessions, and removes the figures', async () => {
    const cell = cellOf(await measure(mutant('wrong')), 'wrong')
    assert.ok(cell.rounds.every(({ wrong, failure }) => wrong > 0 && /another session/.test(failure!)))
    assert.equal(compare(cell, cell, 'opsPerSecond'), undefined)
  })

  it('reports why a store has no figures, and measures the others', async () => {
    const run = await measure(ours, mutant('crash'))
    assert.equal(cellOf(run, 'ours-redis').rounds.length, ROUNDS)
    const reasons = run.missing.map(({ subject, reason }) => `${subject}: ${reason}`)
    assert.ok(
      reasons.length > 0 && reasons.every((text) => /^crash: .*mutant/.test(text)),
      reasons.join('\n'),
    )
  })
})
