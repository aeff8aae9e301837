import type { Cell, Results, Spread } from './figures.ts'
import type { SubjectName } from './subjects.ts'
import { type Scenario, type Suite, type SuiteName, suites } from './suites.ts'

/** What a figure ought to be: at least this, or at most. */
interface Aim {
  suite: SuiteName
  text: string
  least?: number
  most?: number
  measure(results: Results): Spread | undefined
}

export interface Judged {
  text: string
  aim: string
  /** Undefined where a measurement failed. */
  figure: Spread | undefined
  met: boolean
}

/** The aims of these suites. */
export function judge(results: Results, chosen: readonly Suite[]): Judged[] {
  return aims
    .filter(({ suite }) => chosen.some(({ name }) => name === suite))
    .map(({ text, least, most, measure }) => {
      const figure = measure(results)
      const met = figure !== undefined && figure.median >= (least ?? 0) && figure.median <= (most ?? Infinity)
      return { text, aim: least === undefined ? `<= ${most}` : `>= ${least}`, figure, met }
    })
}

const WAL = 'better-sqlite3-session-store, WAL'
const sqlite = (scenario: Scenario, concurrency = 256): Cell => ({
  suite: 'sqlite',
  subject: 'SqliteStore',
  scenario,
  concurrency,
})
const redis = (scenario: Scenario, concurrency = 256): Cell => ({
  suite: 'redis',
  subject: 'RedisStore',
  scenario,
  concurrency,
})

const faster = (cell: Cell, rival: SubjectName, least: number): Aim => ({
  suite: cell.suite,
  text: `${describe(cell)}, operations against ${rival}`,
  least,
  measure: (results) => results.ratio(cell, rival, 'rate'),
})

const cheaper = (cell: Cell, rival: SubjectName, most: number): Aim => ({
  suite: cell.suite,
  text: `${describe(cell)}, CPU against ${rival}`,
  most,
  measure: (results) => results.ratio(cell, rival, 'cpu'),
})

/** Microseconds a call. */
const core = (scenario: Scenario, most: number): Aim => ({
  suite: 'memory',
  text: `core alone, ${scenario} at 256, µs`,
  most,
  measure(results) {
    const cell: Cell = {
      suite: 'memory',
      subject: 'SessionStore on memoryDriver',
      scenario,
      concurrency: 256,
    }
    const rate = results.spread(cell, 'rate')
    return rate && { median: 1e6 / rate.median, min: 1e6 / rate.max, max: 1e6 / rate.min }
  },
})

function describe({ suite, subject, scenario, concurrency }: Cell): string {
  return `${suite === 'http' ? 'HTTP, ' : ''}${subject}, ${scenario} at ${concurrency}`
}

const storeSuites = suites.filter(({ name }) => name === 'sqlite' || name === 'redis')

/** Every scenario of the SQLite and Redis suites, ours against each rival. */
const each = (aim: (cell: Omit<Cell, 'concurrency'>, rival: SubjectName) => Aim): Aim[] =>
  storeSuites.flatMap(({ name: suite, scenarios, rivals }) =>
    Object.entries(rivals).flatMap(([subject, others]) =>
      scenarios.flatMap((scenario) =>
        others.map((rival) => aim({ suite, subject: subject as SubjectName, scenario }, rival)),
      ),
    ),
  )

const http = suites.find(({ name }) => name === 'http')!

const aims: readonly Aim[] = [
  ...Object.entries(http.rivals).flatMap(([subject, rivals]) =>
    http.scenarios.flatMap((scenario) =>
      rivals.map((rival) =>
        faster(
          { suite: 'http', subject: subject as SubjectName, scenario, concurrency: 64 },
          rival,
          rival === 'MemoryStore' ? 0.9 : 1.1,
        ),
      ),
    ),
  ),
  faster(sqlite('save'), WAL, 3),
  faster(sqlite('lookup'), WAL, 2),
  faster(sqlite('touch'), WAL, 2),
  faster(redis('lookup'), 'connect-redis', 2),
  faster(redis('lookup+touch'), 'connect-redis', 1.5),
  faster(redis('save'), 'connect-redis', 0.9),
  ...each((cell, rival) => faster({ ...cell, concurrency: 1 }, rival, 0.9)),
  ...each((cell, rival) => cheaper({ ...cell, concurrency: 256 }, rival, 0.7)),
  core('get', 5.8),
  core('touch', 2.1),
  core('set', 4.2),
]
