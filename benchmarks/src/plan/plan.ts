import { databaseIds } from '@session-stores/testbed/databases'
import type { Job } from '../child/protocol.ts'
import type { OperationName, Parameters, ScenarioName } from '../results/results.ts'
import { controlsOf, type Entry, entriesBeside } from '../subjects/catalogue.ts'
import type { Place } from '../subjects/subject.ts'
import { chooseCells, type Planned } from './choose.ts'
import { sessionTime } from './estimate.ts'
import type { PlannedJob, PlannedPoint } from './job.ts'
import { MAIN } from './main-subjects.ts'
import type { Scale } from './scale.ts'

const OURS = databaseIds.map((id) => `ours-${id}`)

/** Returns the jobs of every round. */
export function plan(args: Planned, scale: Scale): PlannedJob[] {
  const entries = entriesBeside(args.before).filter(({ database }) => args.stores.includes(database))
  const planner = new Planner(scale, new Set(args.scenarios))
  const chosen = chooseCells(
    entries.flatMap((entry) => planner.jobsOf(entry)),
    args,
  )
  if (args.subjects) return chosen
  return [...chosen, ...findControls(entries).flatMap((entry) => planner.control(entry))]
}

/** Returns the controls, which are copies of this project's first store. */
function findControls(entries: readonly Entry[]): Entry[] {
  const first = entries.find(({ role }) => role === 'ours')
  return first ? controlsOf(first) : []
}

/** The maximum number of sessions for these packages, because they are stored one by one. */
const MOST_STORED = 100_000
/** Subjects that can prune expired sessions on demand. Redis removes expired keys by itself. */
const PRUNING = [
  ...['ours-mongodb', 'ours-postgres', 'ours-sqlite', 'ours-memory', 'connect-pg-simple', 'memorystore'],
  ...['better-sqlite3-session-store', 'better-sqlite3-session-store-wal'],
]

/** The number of sessions with which larger numbers are compared. */
const FEW = 10_000

/** The setups that several processes share, as an installation with several servers does. */
const FLEET = ['standalone', 'client', 'cluster', 'pgbouncer']

class Planner {
  readonly #scale: Scale
  readonly #chosen: ReadonlySet<ScenarioName>

  constructor(scale: Scale, chosen: ReadonlySet<ScenarioName>) {
    this.#scale = scale
    this.#chosen = chosen
  }

  jobsOf(entry: Entry): PlannedJob[] {
    const { variant, role } = entry
    const jobs: PlannedJob[] = []
    const add = (scenario: ScenarioName, ...made: PlannedJob[]) => {
      if (this.#chosen.has(scenario)) jobs.push(...made)
    }
    if (variant === 'pgbouncer' || variant === 'cluster') add(variant, this.#variant(entry, variant))
    if (variant === 'sealed' || OURS.includes(entry.id)) add('sealing', this.#variant(entry, 'sealing'))
    if (variant === 'tokens') add('tokens', this.#tokens(entry))
    if (variant === 'application') add('tokens', this.#http(entry, 'tokens', ['http']))
    const isAlternative = role === 'peer' && variant === 'standalone' && !MAIN.includes(entry.id)
    if (FLEET.includes(variant) && !isAlternative && !['memory', 'files'].includes(entry.database))
      add('fleet', this.#fleet(entry))
    if ([...OURS, ...MAIN].includes(entry.id) || ['user', 'sealed'].includes(variant))
      add('storage', ...this.#scale.storage.payloads.map((payload) => this.#storage(entry, payload)))
    if (variant === 'near') add('http', this.#http(entry, 'http', ['http']))
    if (variant !== 'standalone') return jobs

    jobs.push(...this.#base(entry))
    const { payloads, sizes } = this.#scale
    // The bare client shows how much of the growth is the database's own.
    if (entry.id === 'floor-sqlite')
      add('stored', ...sizes.filter((size) => size >= FEW).map((size) => this.#stored(entry, size)))
    if (role === 'floor') return jobs
    const isMain = [...OURS, ...MAIN].includes(entry.id) || entry.database === 'memory'
    add('http', this.#http(entry, 'http', isMain ? ['http', 'http-one-session'] : ['http']))
    add('expiry', this.#expiry(entry))
    if (entry.database !== 'memory') add('reclaim', this.#reclaim(entry))
    if (PRUNING.includes(entry.id)) add('pruning', this.#pruning(entry))
    if (![...OURS, ...MAIN].includes(entry.id)) return jobs

    add('payload', ...payloads.map((payload) => this.#payload(entry, payload)))
    const most = role === 'ours' ? Number.POSITIVE_INFINITY : MOST_STORED
    add('stored', ...sizes.filter((size) => size <= most).map((size) => this.#stored(entry, size)))
    return jobs
  }

  #fleet(entry: Entry): PlannedJob {
    const { fleet, payload } = this.#scale
    const { stored, processes, concurrencies, warmUp, duration } = fleet
    const points = processes.flatMap((count) =>
      concurrencies.map((concurrency) => {
        const parameters = { payload, stored, concurrency, processes: count }
        // With many operations in flight, the first answers come late.
        const calls = count * concurrency
        const times = {
          warmUp: Math.max(warmUp, calls * fleet.warmUpEach, count * fleet.perProcess),
          duration: Math.max(duration, calls * fleet.durationEach, count * fleet.perProcess),
        }
        return { ...this.#point('fleet', 'lookup-touch', parameters), ...times, warmUpAgain: times.warmUp }
      }),
    )
    // Each start is expensive, because the engine takes long to settle in many processes.
    const starts = Math.ceil(this.#scale.rounds / fleet.roundsPerStart)
    const passes = Math.ceil(this.#scale.rounds / starts)
    const warmUps = fleet.jobWarmUps
    const preparing = warmUps.reduce((sum, { duration }) => sum + duration, 0)
    const common = { payload, stored, points, passes, warmUps }
    const make = (place: Place): Job => ({ kind: 'fleet', subject: idOf(entry), place, ...common })
    const job = this.#job(entry, 'fleet', points)
    return { ...job, rounds: starts, passes, passesAreRounds: true, preparing, make }
  }

  /** The control is part of every run, whatever was chosen. */
  control(entry: Entry): PlannedJob {
    const concurrencies = this.#scale.concurrencies.filter((concurrency) => concurrency > 1)
    const points = this.#points('control', ['lookup', 'save', 'lookup-touch'], concurrencies)
    return this.#job(entry, 'control', points)
  }

  /** Everything that is measured with a small session in a store of the usual size. */
  #base(entry: Entry): PlannedJob[] {
    const { concurrency, concurrencies, rates, openDuration } = this.#scale
    const stored = this.#storedOf(entry)
    const ends = concurrencies.filter((one) => one === 1 || one === Math.max(...concurrencies))
    const main = [
      ...this.#points('lookup', ['lookup'], ends),
      ...this.#points('touch', ['touch'], ends),
      ...this.#points('save', ['save'], ends),
      ...this.#points('request', ['lookup-touch'], concurrencies),
    ]
    const rest = [
      ...this.#points('lookup', ['lookup-miss', 'lookup-expired'], [concurrency]),
      ...this.#points('save', ['save-growing'], [concurrency]),
      ...this.#points('mix', ['mix'], [concurrency]),
      ...this.#points('hot', ['hot'], [concurrency]),
      ...rates.map((rate) => {
        const parameters = { payload: this.#scale.payload, stored, concurrency: 0, rate }
        return { ...this.#point('open-loop', 'lookup-touch', parameters), duration: openDuration }
      }),
    ]
    // A run would take too long with everything for every package.
    const isMain = [...OURS, ...MAIN].includes(entry.id) || entry.database === 'memory'
    const points = [...main, ...(isMain ? rest : [])].map((point) => ({
      ...point,
      parameters: { ...point.parameters, stored },
    }))
    const chosen = points.filter(({ scenario }) => this.#chosen.has(scenario))
    return chosen.length === 0 ? [] : [this.#job(entry, 'request', chosen)]
  }

  #variant(entry: Entry, scenario: ScenarioName): PlannedJob {
    const { concurrency, concurrencies } = this.#scale
    const isCluster = scenario === 'cluster'
    const names = ['lookup', ...(isCluster ? ['touch' as const] : []), 'save', 'lookup-touch'] as const
    const loads = isCluster ? [concurrency, Math.max(...concurrencies)] : [concurrency]
    const points = this.#points(scenario, names, loads)
    if (isCluster) points.push(...this.#points(scenario, ['lookup-touch-moving'], loads.slice(-1)))
    return this.#job(entry, scenario, points)
  }

  #payload(entry: Entry, payload: number): PlannedJob {
    const parameters = { payload, stored: this.#scale.payloadStored, concurrency: this.#scale.concurrency }
    const points = (['lookup-touch', 'save'] as const).map((operation) =>
      this.#point('payload', operation, parameters),
    )
    return this.#job(entry, 'payload', points)
  }

  #stored(entry: Entry, stored: number): PlannedJob {
    const { sizesPayload: payload, concurrency } = this.#scale
    const points = [this.#point('stored', 'lookup', { payload, concurrency, stored })]
    const placeName = `${entry.id}-${stored}`
    return { ...this.#job(entry, 'stored', points, true), placeName, stays: true }
  }

  #tokens(entry: Entry): PlannedJob {
    const { payload, concurrencies, http } = this.#scale
    const points = concurrencies.map((concurrency) =>
      // As many tokens as an application has users who are active at a time.
      this.#point('tokens', 'verify', {
        payload,
        stored: Math.max(http.stored, ...concurrencies),
        concurrency,
      }),
    )
    return this.#job(entry, 'tokens', points)
  }

  #http(entry: Entry, scenario: ScenarioName, operations: readonly OperationName[]): PlannedJob {
    const { http, payload, jobWarmUp: warmUp } = this.#scale
    const parameters = { payload, stored: http.stored, concurrency: http.connections }
    const { warmUp: first, warmUpAgain, duration } = scenario === 'http' ? http : this.#scale.application
    const points = operations.map((operation, index) => ({
      ...this.#point(scenario, operation, parameters),
      ...{ warmUp: index === 0 ? first : warmUpAgain, warmUpAgain, duration },
    }))
    const { passes } = this.#scale
    const make = (place: Place): Job => ({
      ...{ kind: 'http', subject: idOf(entry), place, payload, stored: http.stored, points, passes, warmUp },
    })
    const group = scenario === 'http' ? 'http' : `${scenario} over http ${entry.database}`
    return { ...this.#job(entry, scenario, points), group, make }
  }

  #expiry(entry: Entry): PlannedJob {
    const { sessions, rounds } = this.#scale.expiry
    const make = (place: Place): Job => ({ kind: 'expiry', subject: idOf(entry), place, sessions })
    return { ...this.#job(entry, 'expiry', []), rounds, make }
  }

  /** This job measures nothing itself: the database is asked before and after it. */
  #storage(entry: Entry, payload: number): PlannedJob {
    const stored = this.#scale.storage.sessions
    const make = (place: Place): Job => ({ kind: 'fill', subject: idOf(entry), place, payload, stored })
    const job = this.#job(entry, 'storage', [])
    const preparing = sessionTime(entry) * stored
    return { ...job, group: `storage ${entry.database}`, isApart: true, rounds: 1, preparing, make }
  }

  /** This job runs beside the rounds. */
  #reclaim(entry: Entry): PlannedJob {
    const make = (place: Place): Job => ({
      ...{ kind: 'reclaim', subject: idOf(entry), place, ...this.#scale.reclaim },
    })
    return { ...this.#job(entry, 'reclaim', []), rounds: 0, placeName: `${entry.id}-reclaim`, make }
  }

  #pruning(entry: Entry): PlannedJob {
    const { payload, pruning } = this.#scale
    const stored = this.#storedOf(entry)
    const { expired, rate, duration, rounds } = pruning
    const parameters = { payload, stored, concurrency: 0, rate }
    const points = (['lookup', 'lookup-pruning'] as const).map((operation) => ({
      ...this.#point('pruning', operation, parameters),
      ...{ warmUp: 0, warmUpAgain: 0, duration },
    }))
    const make = (place: Place): Job => ({
      ...{ kind: 'pruning', subject: idOf(entry), place, payload, stored, expired, points },
    })
    return { ...this.#job(entry, 'pruning', points), rounds, passes: 1, make }
  }

  #job(entry: Entry, scenario: ScenarioName, points: readonly PlannedPoint[], filled = false): PlannedJob {
    const { payload, stored } = points[0]?.parameters ?? { payload: 0, stored: 0 }
    const { passes } = this.#scale
    const warmUp = ['payload', 'stored'].includes(scenario)
      ? this.#scale.jobWarmUpBrief
      : this.#scale.jobWarmUp
    const hasAlone = points.some(({ parameters }) => parameters.concurrency === 1)
    const warmUpAlone = hasAlone ? this.#scale.jobWarmUpAlone : 0
    return {
      entry,
      group: `${scenario} ${entry.database} ${payload} ${stored}`,
      isApart: entry.variant === 'cluster',
      rounds: Number.POSITIVE_INFINITY,
      placeName: 'work',
      stays: false,
      scenario,
      points,
      passes,
      passesAreRounds: false,
      preparing: 2 * (warmUp + warmUpAlone),
      make: (place) => ({
        ...{ kind: 'store', subject: idOf(entry), place, payload, stored, filled, points, passes, warmUp },
        warmUpAlone,
      }),
    }
  }

  #points(
    scenario: ScenarioName,
    operations: readonly OperationName[],
    concurrencies: readonly number[],
  ): PlannedPoint[] {
    const { payload, stored } = this.#scale
    return operations.flatMap((operation) =>
      concurrencies.map((concurrency) => this.#point(scenario, operation, { payload, stored, concurrency })),
    )
  }

  #point(scenario: ScenarioName, operation: OperationName, parameters: Parameters): PlannedPoint {
    const { warmUp, warmUpAlone, duration } = this.#scale
    const isAlone = parameters.concurrency === 1
    const first = isAlone ? warmUpAlone : warmUp
    return { scenario, operation, parameters, warmUp: first, warmUpAgain: warmUp, duration }
  }

  #storedOf({ database }: Entry): number {
    return database === 'files' ? this.#scale.storedFiles : this.#scale.stored
  }
}

/** Returns what opens the subject. A control opens the subject that it copies. */
const idOf = ({ id, opens }: Entry): string => opens ?? id
