import { type DatabaseId, databases } from '@session-stores/testbed/databases'
import { table } from '../text.ts'
import { type Lost, sumLost } from './checker.ts'
import { type AnyId, type DeploymentId, deployments } from './deployments/index.ts'
import type { Round } from './lab.ts'

/** What all rounds on one database showed. */
export class Tally {
  readonly database: AnyId
  readonly version: string
  readonly seeds: number[] = []
  histories = 0
  operations = 0
  unanswered = 0
  undecided = 0
  lost: Lost = sumLost([])
  readonly silences: Record<string, number[]> = {}
  readonly faults: Record<string, number> = {}
  readonly codes: Record<string, number> = {}
  readonly violations: { seed: number; session: string; stuck: readonly string[] }[] = []

  constructor(database: AnyId, version: string) {
    this.database = database
    this.version = version
  }

  add(round: Round): void {
    this.seeds.push(round.seed)
    this.histories += round.histories
    this.operations += round.operations
    this.unanswered += round.unanswered
    this.undecided += round.undecided
    this.lost = sumLost([this.lost, round.lost])
    for (const [name, seconds] of Object.entries(round.silences))
      this.silences[name] = [...(this.silences[name] ?? []), ...seconds]
    count(this.faults, round.faults)
    count(this.codes, round.codes)
    for (const { id, stuck = [] } of round.violations)
      this.violations.push({ seed: round.seed, session: id, stuck })
  }
}

function count(into: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, number] of Object.entries(more)) into[name] = (into[name] ?? 0) + number
}

function nameOf(id: AnyId): string {
  return id in deployments ? deployments[id as DeploymentId].name : databases[id as DatabaseId].name
}

/** Returns what `histories` prints in the end, as a Markdown table. */
export function toTable(tallies: readonly Tally[]): string {
  const rows = tallies.map(({ database, version, histories, operations, unanswered, faults, ...rest }) => {
    const kinds = Object.entries(faults).sort(([one], [other]) => one.localeCompare(other))
    const seeds = rest.seeds.length === 0 ? '' : `${Math.min(...rest.seeds)} to ${Math.max(...rest.seeds)}`
    return [
      `${nameOf(database)} (${version})`,
      histories.toLocaleString('en'),
      operations.toLocaleString('en'),
      unanswered.toLocaleString('en'),
      kinds.map(([name, number]) => `${name} ${number}`).join(', '),
      `${rest.violations.length}`,
      `${rest.undecided}`,
      `${rest.lost.writes}, ${rest.lost.logouts} and ${rest.lost.tokens}`,
      seeds,
    ]
  })
  const head = [
    'database',
    'histories',
    'calls',
    'calls without an answer',
    'faults',
    'violations',
    'undecided',
    'writes, logouts and tokens lost',
    'seeds',
  ]
  return table(head, rows)
}
