import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { findMissedAims } from '../src/report/aims.ts'
import type { Run, SubjectInfo } from '../src/results/results.ts'
import { controlsRun } from './support/runs.ts'

const theirs = [1000, 1010, 990, 1005, 995, 1002, 998, 1001, 999, 1003]

describe('the aims', () => {
  it('are missed by a store that is faster than the other package, but not enough', () => {
    const [line, ...others] = rates(runOf(1.9, 256))
    assert.match(
      line!,
      /^Missed aim: RedisStore, lookup and touch, 256 at once: 1\.9x .* where at least 2x is wanted\.$/,
    )
    assert.deepEqual(others, [])
  })

  it('are met by rounded ratios, and do not apply to other loads', () => {
    assert.deepEqual(rates(runOf(1.997, 256)), [])
    assert.deepEqual(rates(runOf(0.5, 32)), [])
  })

  it('are lower for a save at a concurrency of 1', () => {
    const saves = (ratio: number): string[] => {
      const run = runOf(ratio, 1)
      return rates({ ...run, cells: run.cells.map((cell) => ({ ...cell, operation: 'save' })) })
    }
    assert.deepEqual(rates(runOf(1, 1)), [])
    assert.match(rates(runOf(0.95, 1))[0]!, /1 at once: 0\.95x .* where at least 1x is wanted/)
    assert.deepEqual(saves(0.95), [])
    assert.match(saves(0.8)[0]!, /1 at once: 0\.8x .* where at least 0\.95x is wanted/)
  })

  it('are a share of the bare client in a fleet', () => {
    const fleet = (ratio: number): string[] => {
      const run = runOf(ratio, 4)
      const subjects = run.subjects.map((subject) =>
        subject.role === 'peer' ? { ...subject, id: 'floor-redis', role: 'floor' as const } : subject,
      )
      const cells = run.cells.map((cell) => ({
        ...cell,
        scenario: 'fleet' as const,
        subject: cell.subject === 'connect-redis' ? 'floor-redis' : cell.subject,
        parameters: { ...cell.parameters, processes: 8 },
      }))
      return rates({ ...run, subjects, cells })
    }
    assert.deepEqual(fleet(0.8), [])
    assert.match(fleet(0.7)[0]!, /0\.7x .* where at least 0\.8x is wanted/)
  })

  it('are a share of MemoryStore for a store that answers from memory', () => {
    const http = (ratio: number): string[] => {
      const run = runOf(ratio, 64)
      const subjects = run.subjects.map((subject) =>
        subject.role === 'peer'
          ? { ...subject, id: 'MemoryStore', role: 'ceiling' as const, comparedWith: [] }
          : { ...subject, id: 'ours-redis-near', variant: 'near' },
      )
      const cells = run.cells.map((cell) => ({
        ...cell,
        ...({ scenario: 'http', operation: 'http' } as const),
        subject: cell.subject === 'connect-redis' ? 'MemoryStore' : 'ours-redis-near',
      }))
      return findMissedAims({ ...run, subjects, cells })
    }
    assert.deepEqual(http(0.95), [])
    assert.match(http(0.85)[0]!, /0\.85x the requests a second of .* where at least 0\.95x is wanted/)
  })

  it('require to be ahead in an application, too', () => {
    const http = (ratio: number): string[] => {
      const run = runOf(ratio, 64)
      return findMissedAims({
        ...run,
        cells: run.cells.map((cell) => ({ ...cell, scenario: 'http', operation: 'http' })),
      })
    }
    assert.deepEqual(http(1.1), [])
    assert.match(http(0.9)[0]!, /0\.9x the requests a second of connect-redis .* where at least 1x is wanted/)
  })

  it('do not only concern the rate', () => {
    const others = findMissedAims(runOf(3, 256))
    assert.equal(others.length, 1)
    assert.match(others[0]!, /1x the CPU of the application .* where at most 0\.6x is wanted/)
  })
})

const rates = (run: Run): string[] =>
  findMissedAims(run).filter((line) => line.includes('operations a second'))

/**
 * Makes a run in which RedisStore does `ratio` times as many lookups with touch as connect-redis.
 */
function runOf(ratio: number, concurrency: number): Run {
  const ours = theirs.map((rate) => rate * ratio)
  const run = controlsRun(theirs, ours)
  const common = { database: 'redis' as const, variant: 'standalone', packages: [], durability: 'none' }
  const subjects: SubjectInfo[] = [
    { ...common, id: 'connect-redis', name: 'connect-redis', role: 'peer', comparedWith: ['ours-redis'] },
    { ...common, id: 'ours-redis', name: 'RedisStore', role: 'ours', comparedWith: [] },
  ]
  const cells = run.cells.map((cell, index) => ({
    ...cell,
    ...({ scenario: 'request', operation: 'lookup-touch' } as const),
    subject: subjects[index]!.id,
    parameters: { ...cell.parameters, concurrency },
  }))
  return { ...run, subjects, cells }
}
