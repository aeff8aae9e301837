/** What one run of the benchmark writes: `<out>/<started>.json`. Everything that the page and the tables say comes from it. */
export interface Run {
  /** Raised when a field changes its meaning. */
  schema: 1
  /** ISO 8601. */
  started: string
  ended: string
  /** What to type to get such a run again. */
  command: string
  /** Undefined outside of a checkout; ends with `+` if files differed from it. */
  commit?: string
  /** False if it was interrupted; see `reason`. */
  complete: boolean
  reason?: string
  quick: boolean
  /** How many rounds were asked for, and how many were done to the end; some scenarios are measured in fewer. */
  rounds: number
  roundsDone: number
  environment: Environment
  servers: ServerInfo[]
  /** All that were asked for, whether they could be measured or not. */
  subjects: SubjectInfo[]
  scenarios: ScenarioInfo[]
  cells: Cell[]
  expiry: Expiry[]
  reclaim: Reclaim[]
  /** What was planned and has no figure, with the reason; a whole subject if no scenario is named. */
  missing: Missing[]
}

export interface Environment {
  cpu: string
  cores: number
  /** Bytes. */
  memory: number
  kernel: string
  node: string
  /** The load average of the last minute when the run began. */
  loadBefore: number
}

export type Database = 'redis' | 'mongodb' | 'postgres' | 'sqlite' | 'memory' | 'files'

export interface ServerInfo {
  /** `redis`, `redis-cluster`, `mongodb`, `postgres`, `pgbouncer`. */
  name: string
  /** What it says it is, such as `redis 7.0.15`. */
  version: string
  /** What decides on speed and durability; the same for all subjects on it. */
  settings: Record<string, string>
}

/**
 * `ours`; `peer`; `floor`: the bare client doing the least that keeps a session, one call at a time; `ceiling`:
 * express-session's MemoryStore, no database at all; `control`: there are two, and they are the same, to see how far
 * measurements of one thing lie apart.
 */
export type Role = 'ours' | 'peer' | 'floor' | 'ceiling' | 'control'

export interface SubjectInfo {
  /** `connect-redis`, `better-sqlite3-session-store-wal`, … */
  id: string
  /** For people: `connect-redis on node-redis`. */
  name: string
  role: Role
  database: Database
  /** What runs: `standalone`, or what stands between or is added: `cluster`, `pgbouncer`, `sealed`, … */
  variant: string
  /** Of the package measured and of its database client. */
  packages: { name: string; version: string }[]
  /** The durability of its writes, in words. */
  durability: string
  /** The server it runs on, as in `Run.servers`; none for SQLite, memory and files. */
  server?: string
  /** The id of the subject that this control is. */
  controlOf?: string
  /** The ids of those of ours that it is compared with. */
  comparedWith: string[]
}

/** What `--scenario` takes, and a part of the page. */
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
  | 'pgbouncer'
  | 'cluster'
  | 'control'

export interface ScenarioInfo {
  name: ScenarioName
  title: string
  /** What is done and checked, in a sentence or two. */
  text: string
  /** The command that measures it alone. */
  command: string
}

/** What one operation is. */
export type OperationName =
  | 'lookup'
  | 'lookup-miss'
  | 'lookup-expired'
  | 'touch'
  | 'save'
  | 'save-growing'
  /** A request that changes nothing. */
  | 'lookup-touch'
  | 'mix'
  | 'hot'
  /** A lookup while expired sessions are being removed. */
  | 'lookup-pruning'
  /** A request over HTTP to an Express application; each connection with its session, or one for all. */
  | 'http'
  | 'http-one-session'

export interface Parameters {
  /** Bytes of a session as JSON, its cookie included. */
  payload: number
  /** Operations (or connections) in flight; 0 in an open loop, which has no bound. */
  concurrency: number
  /** Sessions stored. */
  stored: number
  /** Open loop: operations a second that are begun, whatever became of those before. */
  rate?: number
}

/** One subject doing one operation at one point. */
export interface Cell {
  scenario: ScenarioName
  operation: OperationName
  subject: string
  parameters: Parameters
  /** One a round, each from a fresh process; a failed one is in `Run.missing`. */
  rounds: Round[]
}

export interface Round extends Measurement {
  /** From 1. Rounds of the same number were measured near each other in time. */
  round: number
}

/** What `errors` and `wrong` count is in `operations` too. Figures "an operation" are averages. */
export interface Measurement {
  operations: number
  /** The measured time. */
  seconds: number
  opsPerSecond: number
  /**
   * HdrHistogram (V2, compressed, base64) of microseconds. Open loop: from the intended start. Closed loop: from
   * the answer before to this one.
   */
  latency: string
  /** Open loop only: the same from when the call was really made, which hides what waiting costs. */
  latencyFromCall?: string
  /** Operations that failed. */
  errors: number
  /** Answers that were not right: no session, another session, another user, not what was saved last. */
  wrong: number
  /** The first of them. */
  failure?: string
  /** Open loop: operations whose time had come and which had no answer at the end. */
  unanswered?: number
  /** Requests an operation, as the server counts them: `null` where there is no server, or it does not count. */
  roundTrips: number | null
  /** Commands, statements or documents an operation, as the server counts them. */
  commands: number | null
  /** Microseconds of CPU time an operation: the application's process with all its threads, and the server's. */
  cpuApp: number
  cpuServer: number | null
  /** Bytes an operation on the application's connections to the database; to it and from it. */
  bytesOut: number
  bytesIn: number
  /** The most memory that the application's process held, in bytes. */
  rssPeak: number
  /** Milliseconds that a timer came late in the application's process. */
  eventLoopDelayP99: number
}

/** How long after its deadline a session could still be read. */
export interface Expiry {
  subject: string
  round: number
  /** Milliseconds from the deadline to the last answer with the session, for each session; 0: never after it. */
  late: number[]
  /** Sessions that were gone before their deadline, by how many milliseconds. */
  early: number[]
}

/** How long expired sessions take up storage, with each package's own settings. */
export interface Reclaim {
  subject: string
  /** How many expired at once. */
  sessions: number
  /** Milliseconds from the last deadline to when half, and when all of them were seen gone; `null`: not while it was watched. */
  half: number | null
  all: number | null
  /** For how long after the deadline it was watched, in milliseconds. */
  watched: number
}

interface Missing {
  subject: string
  scenario?: ScenarioName
  operation?: OperationName
  round?: number
  reason: string
}
