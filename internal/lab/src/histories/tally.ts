import { type DatabaseId, databases } from '@session-stores/testbed/databases'
import type { Round } from './lab.ts'

/** What all rounds on one database showed. */
export class Tally {
  readonly database: DatabaseId
  readonly version: string
  readonly seeds: number[] = []
  histories = 0
  operations = 0
  unanswered = 0
  undecided = 0
  readonly faults: Record<string, number> = {}
  readonly codes: Record<string, number> = {}
  readonly violations: { seed: number; session: string; stuck: readonly string[] }[] = []

  constructor(database: DatabaseId, version: string) {
    this.database = database
    this.version = version
  }

  add(round: Round): void {
    this.seeds.push(round.seed)
    this.histories += round.histories
    this.operations += round.operations
    this.unanswered += round.unanswered
    this.undecided += round.undecided
    count(this.faults, round.faults)
    count(this.codes, round.codes)
    for (const { id, stuck = [] } of round.violations)
      this.violations.push({ seed: round.seed, session: id, stuck })
  }
}

function count(into: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, number] of Object.entries(more)) into[name] = (into[name] ?? 0) + number
}

/** Returns the table of docs/reliability.md. */
export function toTable(tallies: readonly Tally[]): string {
  const rows = tallies.map(({ database, version, histories, operations, unanswered, faults, ...rest }) => {
    const kinds = Object.entries(faults).sort(([one], [other]) => one.localeCompare(other))
    const seeds = rest.seeds.length === 0 ? '' : `${Math.min(...rest.seeds)} to ${Math.max(...rest.seeds)}`
    return [
      `${databases[database].name} (${version})`,
      histories.toLocaleString('en'),
      operations.toLocaleString('en'),
      unanswered.toLocaleString('en'),
      kinds.map(([name, number]) => `${name} ${number}`).join(', '),
      `${rest.violations.length}`,
      `${rest.undecided}`,
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
    'seeds',
  ]
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
