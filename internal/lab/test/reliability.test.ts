import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseIds } from '@session-stores/testbed/databases'
import { describe, expect, it } from 'vitest'
import { variantsOf } from '../src/histories/changes.ts'
import type { Change } from '../src/histories/protocol.ts'
import { inLanes } from '../src/reliability/lanes.ts'
import { toPage } from '../src/reliability/page.ts'
import { places } from '../src/reliability/places.ts'
import {
  type HistoriesPart,
  type PlaceResult,
  type ReliabilityResult,
  type SoakPart,
  toPlaceResult,
} from '../src/reliability/result.ts'
import { findFailures } from '../src/reliability/verdict.ts'
import { amount, duration } from '../src/text.ts'

const docs = join(import.meta.dirname, '../../../docs')
const committed = JSON.parse(
  readFileSync(join(docs, 'generated/reliability.json'), 'utf8'),
) as ReliabilityResult

const run = {
  date: '2026-11-30',
  commit: 'abc',
  cores: 2,
  seconds: 60,
  seed: 7,
  versions: { Node: '24.0.0' },
}
const place: PlaceResult = toPlaceResult(
  {
    database: 'redis',
    version: 'redis 7.0.15',
    seeds: [7, 8, 9],
    histories: 300,
    operations: 45_000,
    unanswered: 10,
    undecided: 0,
    faults: { 'server killed': 4 },
    codes: {},
    violations: [],
    lost: { writes: 3, logouts: 1, tokens: 2 },
    silences: { 'server killed': [0.5, 2.04, 1] },
  },
  { name: 'Redis', seconds: 30 },
)
const histories: HistoriesPart = { ...run, together: 100, faults: 5, places: [place] }
const measure = { name: 'heap', first: 1, last: 2, slope: 2e6, low: 1e6, high: 3e6 }
const soak = (growth: 'grows' | 'level'): SoakPart => ({
  databases: [
    {
      run,
      database: 'redis',
      version: 'redis 7.0.15',
      seed: 7,
      seconds: 60,
      hours: 0,
      requests: 1e6,
      failed: 0,
      codes: {},
      rate: 1e4,
      faults: {},
      samples: 40,
      measures: [{ ...measure, growth }],
    },
  ],
})

describe('docs/reliability.md', () => {
  const page = readFileSync(join(docs, 'reliability.md'), 'utf8')

  it('is what the command makes of its JSON', () => {
    expect(page).toBe(toPage(committed))
  })

  it('has each database and deployment, and says what is wrong', () => {
    const played = committed.histories!.places.map(({ database }) => database)
    expect(played).toEqual(expect.arrayContaining([...databaseIds]))
    expect(places.map(({ id }) => id)).toEqual(expect.arrayContaining(played))
    // The page says of a place without histories that they did not end.
    for (const { histories: number, error } of committed.histories!.places)
      if (error === undefined) expect(number).toBeGreaterThan(0)
      else expect(page).toContain(error)
    for (const failure of findFailures(committed)) expect(page).toContain(failure)
  })
})

describe('the page', () => {
  it('has the figures of each database and deployment', () => {
    const sentinel = {
      ...place,
      database: 'redis-sentinel',
      name: 'Sentinel',
      faults: { 'master killed': 2 },
    }
    const page = toPage({ histories: { ...histories, places: [place, sentinel] } })
    expect(page).toContain(
      '| Redis (redis 7.0.15) | 30 s | 300 | 45,000 | 10 | **0** | 0 | 2.0 | 3, 1 and 2 |',
    )
    expect(page).toContain('| server killed | 4 (1 s, 2 s) |')
    expect(page).toContain('| **Sentinel** | master killed | 2 | – | – |')
    expect(page).toContain('| Redis | `redis` | 3 | 7 to 9 |')
    expect(page).toContain('--database redis --seed 7 --rounds 1 --histories 100 --faults 5')
    expect(page).toContain('Wrong answers: **0**')
    expect(page).not.toContain('What is wrong')
  })

  it('says what is wrong, with the seed', () => {
    const violations = [{ seed: 8, session: 'h8.1-0', stuck: ['get'] }]
    const result = { histories: { ...histories, places: [{ ...place, violations }] } }
    expect(findFailures(result)).toEqual(['Redis: 1 session has wrong answers.'])
    const page = toPage(result)
    expect(page).toContain('Redis: 1 session has wrong answers.')
    expect(page).toContain('- redis, seed 8, session `h8.1-0`')
  })

  it('says which database did not finish', () => {
    const result = {
      histories: { ...histories, places: [{ ...place, error: 'the histories ended with 2' }] },
    }
    expect(findFailures(result)).toEqual(['Redis: the histories ended with 2.'])
    expect(toPage(result)).toContain('Redis: the histories ended with 2.')
  })

  it('says when each database was soaked, with those of one command in one line', () => {
    const [redis] = soak('level').databases
    const page = toPage({
      soak: {
        databases: [
          redis!,
          { ...redis!, database: 'mongodb' },
          { ...redis!, database: 'sqlite', run: { ...run, commit: 'def' } },
        ],
      },
    })
    expect(page).toContain('Endurance of Redis, MongoDB: 2026-11-30, commit abc, seed 7,')
    expect(page).toContain('Endurance of SQLite: 2026-11-30, commit def, seed 7,')
    expect(page).toContain('3,000,000 requests on 3 databases in 3 minutes')
  })

  it('says what grows', () => {
    expect(findFailures({ soak: soak('level') })).toEqual([])
    expect(findFailures({ soak: soak('grows') })).toEqual(['redis: heap grows with the number of requests.'])
    expect(toPage({ soak: soak('grows') })).toContain('2 MB (1 MB to 3 MB), **grows**')
  })
})

describe('its texts', () => {
  it.each([
    [0, '', '0'],
    [-0.0001, '', '0'],
    [0.456, '', '0.46'],
    [1234.5, '', '1,235'],
    [12, 'bytes', '12 B'],
    [-45_600, 'bytes', '-46 kB'],
    [1_250_000, 'bytes', '1.3 MB'],
  ] as const)('%s %s is %s', (value, unit, text) => {
    expect(amount(value, unit)).toBe(text)
  })

  it.each([
    [59, '59 s'],
    [600, '10 minutes'],
    [7200, '2.0 hours'],
  ])('%s seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text)
  })
})

it('a save removes only keys that the database may hold', () => {
  const changes: Change[] = [
    { set: { flag: '1' }, remove: [] },
    { set: { own: '2' }, remove: [] },
    { set: {}, remove: ['flag', 'old'] },
  ]
  expect(variantsOf(changes, new Set(['old']))).toEqual([
    { set: {}, remove: ['flag', 'old'] },
    { set: { own: '2' }, remove: ['flag', 'old'] },
    { set: { own: '2' }, remove: ['old'] },
  ])
})

it('lanes do each piece once, and no more than their number at a time', async () => {
  let running = 0
  let most = 0
  const results = await inLanes([1, 2, 3, 4, 5], 2, async (piece) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return piece * 2
  })
  expect(results).toEqual([2, 4, 6, 8, 10])
  expect(most).toBe(2)
})
