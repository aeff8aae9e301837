import type { Lost } from '../histories/checker.ts'
import type { SoakResult } from '../soak/result.ts'

/**
 * The JSON of `docs/generated/reliability.json`, from which docs/reliability.md is made. The command
 * `histories --json` writes a list of `Tally`, and `soak --json` a list of `SoakResult`.
 */

/** What the rounds on one database or deployment showed, as `histories --json` writes it. */
export interface Tally {
  /** The argument of `--database`, such as `redis` or `redis-sentinel`. */
  readonly database: string
  /** The display name of the database or deployment. */
  readonly name?: string
  readonly version: string
  readonly seeds: readonly number[]
  readonly histories: number
  readonly operations: number
  readonly unanswered: number
  readonly undecided: number
  readonly faults: Readonly<Record<string, number>>
  readonly codes: Readonly<Record<string, number>>
  readonly violations: readonly Violation[]
  /** What failovers lost that had been acknowledged. */
  readonly lost?: Lost
  /** The seconds without service at each fault that was noticed, by the names of the faults. */
  readonly silences?: Readonly<Record<string, readonly number[]>>
}

/** A session whose answers no order explains. */
interface Violation {
  readonly seed: number
  readonly session: string
  readonly stuck: readonly string[]
}

/** When and on what a part of the result was made. */
export interface Run {
  /** The day, such as `2026-11-30`. */
  readonly date: string
  /** The commit, with ` and changes` where the checkout had some. */
  readonly commit: string
  readonly cores: number
  readonly seconds: number
  readonly seed: number
  /** Node and the clients of the databases. */
  readonly versions: Readonly<Record<string, string>>
}

/** What was played on one database or deployment. */
export interface PlaceResult extends Omit<Tally, 'name' | 'seeds' | 'silences'> {
  readonly name: string
  readonly seconds: number
  readonly rounds: number
  readonly seeds: { readonly first: number; readonly last: number }
  readonly silences: Readonly<Record<string, Silence>>
  /** Why the rounds ended early, if they did. */
  readonly error?: string
  /** The run in which this place was played again, after that of the others. */
  readonly run?: Run
}

/** How long a kind of fault left the application without service, in seconds. */
interface Silence {
  readonly times: number
  readonly median: number
  readonly longest: number
}

/** The part about histories. */
export interface HistoriesPart extends Run {
  /** The numbers of histories that share their faults, and of these faults. */
  readonly together: number
  readonly faults: number
  readonly places: readonly PlaceResult[]
}

/** The soak of one database. Each database can be soaked by itself, so each has a run of its own. */
interface SoakedDatabase extends SoakResult {
  readonly run: Run
}

/** The part about endurance. */
export interface SoakPart {
  readonly databases: readonly SoakedDatabase[]
}

/** The whole result. Each part stays as it is until the command makes it anew. */
export interface ReliabilityResult {
  readonly histories?: HistoriesPart
  readonly soak?: SoakPart
}

/** Returns the tally with what the page shows in place of long lists. */
export function toPlaceResult(
  tally: Tally,
  about: { readonly name: string; readonly seconds: number; readonly error?: string },
): PlaceResult {
  const { seeds, silences = {}, ...rest } = tally
  const entries = Object.entries(silences).map(([fault, seconds]) => {
    const sorted = [...seconds].sort((one, other) => one - other)
    const median = sorted[sorted.length >> 1]!
    return [fault, { times: sorted.length, median: round(median), longest: round(sorted.at(-1)!) }]
  })
  return {
    ...rest,
    ...about,
    rounds: seeds.length,
    seeds: { first: Math.min(...seeds), last: Math.max(...seeds) },
    silences: Object.fromEntries(entries),
  }
}

const round = (seconds: number): number => Math.round(seconds * 10) / 10
