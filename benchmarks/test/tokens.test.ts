import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { describeTokens, findMissedTokenAims } from '../src/report/tokens.ts'
import type { Cell, Run, SubjectInfo } from '../src/results/results.ts'
import { catalogue, infoOf } from '../src/subjects/catalogue.ts'
import { controlsRun } from './support/runs.ts'

const rates = [1000, 1010, 990, 1005, 995, 1002, 998, 1001, 999, 1003]

/** Makes a run in which each subject does `factor` times as many operations as `rates`. */
function runOf(factors: Readonly<Record<string, number>>): Run {
  const subjects: SubjectInfo[] = []
  const cells: Cell[] = []
  for (const [id, factor] of Object.entries(factors)) {
    const [, cell] = controlsRun(
      rates,
      rates.map((rate) => rate * factor),
    ).cells
    const isHttp = id.startsWith('app-')
    subjects.push(infoOf(catalogue.find((entry) => entry.id === id)!))
    cells.push({
      ...cell!,
      scenario: 'tokens',
      operation: isHttp ? 'http' : 'verify',
      subject: id,
      parameters: { ...cell!.parameters, concurrency: isHttp ? 64 : 256 },
      rounds: cell!.rounds.map((round) => ({ ...round, cpuApp: 100 / factor })),
    })
  }
  return { ...controlsRun(rates, rates), subjects, cells }
}

describe('the aims of access tokens', () => {
  it('are met', () => {
    const run = runOf({
      'tokens-jose': 1,
      'tokens-first': 0.95,
      'tokens-cached': 30,
      'app-open-redis': 1,
      'app-token-redis': 0.95,
    })
    assert.deepEqual(findMissedTokenAims(run), [])
  })

  it('are missed', () => {
    const run = runOf({
      ...{ 'tokens-jose': 1, 'tokens-first': 0.8, 'tokens-cached': 15 },
      ...{
        'app-open-sqlite': 1,
        'app-session-sqlite': 0.5,
        'app-preset-sqlite': 0.4,
        'app-token-sqlite': 0.8,
      },
    })
    const missed = findMissedTokenAims(run)
    assert.equal(missed.length, 5)
    assert.match(
      missed[0]!,
      /freshness: false, 256 at once: 15x the rate of jose alone .* at least 20x is wanted/,
    )
    assert.match(
      missed[1]!,
      /first time, 256 at once: 1\.25x the CPU of jose alone .* at most 1\.1x is wanted/,
    )
    assert.match(
      missed[2]!,
      /sessions\(\) on SqliteStore, 64 at once: 0\.8x the rate of express-session .* at least 0\.95x/,
    )
    assert.match(
      missed[3]!,
      /a token on SqliteStore.* 0\.8x the rate of no authentication .* at least 0\.9x is wanted/,
    )
    assert.match(missed[4]!, /a remembered token costs 6\.67 µs, where at most 5 µs are wanted/)
  })

  it('are not missed in a run of few rounds, which tells nothing from chance', () => {
    const run = runOf({ 'tokens-jose': 1, 'tokens-first': 0.5, 'tokens-cached': 2 })
    const cells = run.cells.map((cell) => ({ ...cell, rounds: cell.rounds.slice(0, 1) }))
    assert.deepEqual(findMissedTokenAims({ ...run, cells }), [])
    assert.equal(findMissedTokenAims(run).length, 3)
  })

  it('are told in words', () => {
    const run = runOf({
      'tokens-jose': 1,
      'tokens-first': 1,
      'tokens-cached': 50,
      'tokens-lookup-redis': 4,
      'app-open-redis': 1,
      'app-preset-redis': 0.5,
    })
    assert.deepEqual(describeTokens(run), [
      'To verify an access token takes jose 100 µs of CPU. `Tokens` takes 100 µs the first time, and 2 µs while it remembers the token.',
      'A session lookup takes 25 µs on Redis.',
      'Of the requests a second that an Express application serves without authentication, on Redis: sessions() 0.5x.',
    ])
  })
})
