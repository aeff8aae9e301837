import type { DatabaseId } from '@session-stores/testbed/databases'

/**
 * A run of the benchmark, as written to `<out>/<started>.json`. The page and the tables are
 * computed from it.
 */
export interface Run {
  /** Increases when a field changes its meaning. */
  schema: 1
  /** ISO 8601. */
  started: string
  ended: string
  /** The command that produces such a run. */
  command: string
  /** `undefined` outside of a checkout. Ends with `+` if files differed from the commit. */
  commit?: string
  /** Whether the run was not interrupted; see `reason`. */
  complete: boolean
  reason?: string
  quick: boolean
  /** The number of requested and of completed rounds. Some scenarios take part in fewer rounds. */
  rounds: number
  roundsDone: number
  environment: Environment
  servers: ServerInfo[]
  /** All requested subjects, even if they could not be measured. */
  subjects: SubjectInfo[]
  scenarios: ScenarioInfo[]
  cells: Cell[]
  expiry: Expiry[]
  reclaim: Reclaim[]
  /** Missing in runs from before there was this scenario. */
  storage?: Storage[]
  /**
   * What was planned and has no figure, with the reason. Without a scenario, the whole subject is
   * missing.
   */
  missing: Missing[]
}

export interface Environment {
  cpu: string
  cores: number
  /** In bytes. */
  memory: number
  kernel: string
  node: string
  /** The load average of the last minute before the run. */
  loadBefore: number
}

export type Database = DatabaseId | 'memory' | 'files'

export interface ServerInfo {
  /** `redis`, `redis-cluster`, `mongodb`, `postgres` or `pgbouncer`. */
  name: string
  /** The name and version that the server reports, such as `redis 7.0.15`. */
  version: string
  /**
   * Settings that determine speed and durability. They are the same for all subjects of the server.
   */
  settings: Record<string, string>
}

/**
 * The role of a subject:
 * - `ours`: a store of this project
 * - `peer`: another package
 * - `floor`: the bare client with the minimum that keeps a session
 * - `ceiling`: express-session's MemoryStore, without a database
 * - `control`: one of two identical subjects, which show how far measurements of one thing differ
 */
export type Role = 'ours' | 'peer' | 'floor' | 'ceiling' | 'control'

export interface SubjectInfo {
  /** Such as `connect-redis` or `better-sqlite3-session-store-wal`. */
  id: string
  /** The display name, such as `connect-redis on node-redis`. */
  name: string
  role: Role
  database: Database
  /**
   * The setup: `standalone`, `cluster`, `pgbouncer`, `sealed`, `tokens`, `application` or `control`.
   */
  variant: string
  /** The measured package and its database client. */
  packages: { name: string; version: string }[]
  /** The durability of the writes in words. */
  durability: string
  /** The name of its server in `Run.servers`. SQLite, memory and files have no server. */
  server?: string
  /** The id of the subject that this control copies. */
  controlOf?: string
  /** The ids of this project's subjects that this subject is compared with. */
  comparedWith: string[]
}

/** The values of `--scenario`. Each one is a section of the page. */
export type ScenarioName =
  | 'lookup'
  | 'touch'
  | 'save'
  | 'request'
  | 'mix'
  | 'hot'
  | 'payload'
  | 'stored'
  | 'open-loop'
  | 'http'
  | 'expiry'
  | 'reclaim'
  | 'pruning'
  | 'sealing'
  | 'tokens'
  | 'pgbouncer'
  | 'cluster'
  | 'fleet'
  | 'storage'
  | 'control'

export interface ScenarioInfo {
  name: ScenarioName
  title: string
  /** What is done and checked, in one or two sentences. */
  text: string
  /** The command that measures only this scenario. */
  command: string
}

/** What one operation does. */
export type OperationName =
  | 'lookup'
  | 'lookup-miss'
  | 'lookup-expired'
  | 'touch'
  | 'save'
  | 'save-growing'
  /** A request that changes nothing. */
  | 'lookup-touch'
  /** The same while slots of the cluster move from one master to another. */
  | 'lookup-touch-moving'
  | 'mix'
  | 'hot'
  /** A lookup while expired sessions are removed. */
  | 'lookup-pruning'
  /** A request to an Express application, with a session for each connection or one for all. */
  | 'http'
  | 'http-one-session'
  /** Finds out who sent a request: by an access token, or by a session. */
  | 'verify'

export interface Parameters {
  /** The size of a session as JSON with its cookie, in bytes. */
  payload: number
  /** Operations or connections in flight. 0 for an open loop, which has no limit. */
  concurrency: number
  /**
   * Only for a fleet: the number of processes that work at the same time. Each has a store of its own
   * and `concurrency` operations in flight.
   */
  processes?: number
  /** The number of stored sessions. */
  stored: number
  /**
   * Only for an open loop: operations that begin per second, even if earlier ones are unanswered.
   */
  rate?: number
}

/** One subject with one operation and one set of parameters. */
export interface Cell {
  scenario: ScenarioName
  operation: OperationName
  subject: string
  parameters: Parameters
  /** One measurement per round, each from a fresh process. Failed ones are in `Run.missing`. */
  rounds: Round[]
}

export interface Round extends Measurement {
  /** The number of the round, from 1. Measurements of the same round were made close in time. */
  round: number
}

/**
 * The result of one measurement. `operations` includes those in `errors` and `wrong`. Figures per
 * operation are averages.
 */
export interface Measurement {
  operations: number
  /** The measured time. */
  seconds: number
  opsPerSecond: number
  /**
   * An HdrHistogram (V2, compressed, base64) of microseconds. In an open loop, latency counts from
   * the intended start. In a closed loop, it counts from the previous answer.
   */
  latency: string
  /** Only for an open loop: the latency from the actual call, which hides waiting times. */
  latencyFromCall?: string
  /** The number of failed operations. */
  errors: number
  /** The number of wrong answers: no session, another session, another user, or outdated data. */
  wrong: number
  /** The first error or wrong answer. */
  failure?: string
  /** Only for an open loop: due operations without an answer at the end. */
  unanswered?: number
  /** Requests per operation as the server counts them, or `null` if no server counts them. */
  roundTrips: number | null
  /** Commands, statements or documents per operation as the server counts them. */
  commands: number | null
  /**
   * CPU microseconds per operation: of the application's process with all threads, and of the
   * server.
   */
  cpuApp: number
  cpuServer: number | null
  /** Bytes per operation on the connections to the database: sent and received. */
  bytesOut: number
  bytesIn: number
  /** The peak memory of the application's process in bytes. */
  rssPeak: number
  /** The delay of timers in the application's process in milliseconds. */
  eventLoopDelayP99: number
}

/** How long sessions could be read after their deadlines. */
export interface Expiry {
  subject: string
  round: number
  /**
   * Milliseconds from the deadline to the last successful lookup of each session, or 0 if there was
   * none.
   */
  late: number[]
  /** For each session that was gone before its deadline: by how many milliseconds. */
  early: number[]
}

/** How long expired sessions use storage, with each package's own settings. */
export interface Reclaim {
  subject: string
  /** The number of sessions that expired together. */
  sessions: number
  /**
   * Milliseconds from the last deadline until half of the sessions, and all of them, were gone.
   * `null` if that did not happen while storage was watched.
   */
  half: number | null
  all: number | null
  /** How long storage was watched after the deadline, in milliseconds. */
  watched: number
}

/** What stored sessions take up in a database, in bytes for one session. */
export interface Size {
  /** Tables, documents or memory, without the indexes that the database keeps separately. */
  data: number
  /** `null` if the database does not tell them apart. */
  indexes: number | null
  /** Files after the database has compressed them, or `null` if it does not. */
  compressed: number | null
}

export interface Storage extends Size {
  subject: string
  payload: number
  /** The number of stored sessions. */
  sessions: number
}

interface Missing {
  subject: string
  scenario?: ScenarioName
  operation?: OperationName
  round?: number
  reason: string
}
