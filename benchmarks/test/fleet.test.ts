import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { closedLoop } from '../src/child/closed-loop.ts'
import { Meter } from '../src/child/meter.ts'
import { describePlan } from '../src/plan/estimate.ts'
import { plan } from '../src/plan/plan.ts'
import { full, quick } from '../src/plan/scale.ts'
import { addProcesses } from '../src/results/merge.ts'
import type { Measurement, Run } from '../src/results/results.ts'
import { figure } from '../src/results/summary.ts'
import { Recorder } from '../src/run/recorder.ts'
import { Runner } from '../src/run/run.ts'
import { infoOf } from '../src/subjects/catalogue.ts'
import { controlsRun } from './support/runs.ts'

const scenarios = ['fleet'] as const
const jobsOf = (chosen: object, scale = quick) =>
  plan({ stores: ['sqlite'], scenarios: [...scenarios], ...chosen }, scale)

describe('a fleet', () => {
  it('measures several processes as one, each with a store of its own', async () => {
    const jobs = jobsOf({ subjects: ['ours-sqlite'] }, { ...quick, rounds: 2 })
    const run: Run = { ...controlsRun([], []), cells: [], subjects: jobs.map(({ entry }) => infoOf(entry)) }
    const runner = new Runner(
      new Recorder(run, () => {}),
      { begin() {}, end() {} },
      new AbortController().signal,
    )
    try {
      await runner.all(jobs, 2)
    } finally {
      await runner.stop()
    }
    assert.deepEqual(run.missing, [])
    const loads = run.cells.map(({ parameters }) => [parameters.processes, parameters.concurrency])
    assert.deepEqual(loads, [
      [2, 1],
      [2, 8],
    ])
    for (const cell of run.cells) {
      // The processes are started once for both rounds.
      assert.deepEqual(
        cell.rounds.map(({ round }) => round),
        [1, 2],
      )
      const [round] = cell.rounds
      assert.equal(round!.errors + round!.wrong, 0, round!.failure)
      // The memory of two processes is more than one of them could have.
      assert.ok(round!.rssPeak > 100 * 2 ** 20, `${round!.rssPeak}`)
      assert.ok(figure(cell, 'p99')!.median > 0)
    }
  })

  it('starts its processes once for six rounds', () => {
    for (const [rounds, starts, passes] of [
      [1, 1, 1],
      [6, 1, 6],
      [8, 2, 4],
      [20, 4, 5],
    ]) {
      const [job] = jobsOf({ subjects: ['ours-sqlite'] }, { ...full, rounds: rounds! })
      assert.deepEqual([job!.rounds, job!.passes], [starts, passes], `${rounds} rounds`)
    }
  })

  it('adds up what its processes did at the same time', () => {
    const rounds = controlsRun([1000], [500]).cells.map((cell) => cell.rounds[0]!)
    const [a, b] = rounds as unknown as [Measurement, Measurement]
    const sum = addProcesses([a, b])
    assert.deepEqual([sum.operations, sum.opsPerSecond, sum.seconds, sum.rssPeak], [1500, 1500, 1, 2])
  })

  it('counts only between the times that its processes share', async () => {
    const meter = new Meter(async () => null)
    const begun = performance.now()
    const window = { from: begun + 30, until: begun + 60 }
    let calls = 0
    const step = (_: number, done: () => void): void => {
      calls++
      done()
    }
    const options = { concurrency: 2, size: 10, warmUp: 0, duration: 0, window }
    const { operations, seconds } = await closedLoop(step, options, meter)
    assert.ok(performance.now() >= window.until)
    assert.ok(operations < calls, `${operations} of ${calls}`)
    assert.ok(seconds * 1000 <= performance.now() - window.from, `${seconds}`)
  })

  it('can be limited to some subjects, processes and calls at once', () => {
    const jobs = plan(
      {
        ...{ stores: ['redis'], scenarios: [...scenarios], subjects: ['ours-redis', 'connect-redis'] },
        ...{ processes: [8], concurrencies: [1, 4] },
      },
      full,
    )
    assert.deepEqual(
      jobs.map(({ entry }) => entry.id),
      ['ours-redis', 'connect-redis'],
    )
    for (const { points, make } of jobs) {
      assert.deepEqual(
        points.map(({ parameters }) => [parameters.processes, parameters.concurrency]),
        [
          [8, 1],
          [8, 4],
        ],
      )
      assert.equal((make({ folder: '', urls: [] }) as { points?: unknown }).points, points)
    }
  })
})

it('a reference run takes less than 99 minutes by its plan, and a quick run less than 5', () => {
  const all = {
    stores: ['redis', 'mongodb', 'postgres', 'sqlite', 'memory', 'files'],
    scenarios: [
      ...'http fleet request lookup touch save mix hot open-loop payload stored storage'.split(' '),
      ...'expiry reclaim pruning sealing tokens pgbouncer cluster control'.split(' '),
    ],
  } as unknown as Parameters<typeof plan>[0]
  const minutes = (scale: typeof full): number =>
    Number(/^together\s+([\d.]+) min/m.exec(describePlan(plan(all, scale), scale.rounds))![1])
  assert.ok(minutes(full) < 99, `${minutes(full)}`)
  assert.ok(minutes(quick) < 5, `${minutes(quick)}`)
})
