/** What prepares the processes of a fleet for their measurements. */
export interface WarmUp {
  concurrency: number
  /** How many operations of each process are enough. */
  operations: number
  /** The milliseconds after which the warm-up ends with fewer operations, too. */
  duration: number
}

/** The size of a run. Times are in milliseconds. */
export interface Scale {
  rounds: number
  /** How often a process measures each of its points in a round. */
  passes: number
  /**
   * The number of stored sessions unless a scenario says otherwise. `storedFiles` is for the file
   * store.
   */
  stored: number
  storedFiles: number
  payload: number
  concurrencies: readonly number[]
  /** The concurrency of scenarios with only one. */
  concurrency: number
  /**
   * The warm-ups: of a new process, of a process that measures little, and before each measurement.
   */
  jobWarmUp: number
  jobWarmUpBrief: number
  warmUp: number
  /**
   * The same with a concurrency of 1. A lone call takes other paths through the code, and few calls
   * take long to be optimized.
   */
  jobWarmUpAlone: number
  warmUpAlone: number
  duration: number
  payloads: readonly number[]
  payloadStored: number
  sizes: readonly number[]
  sizesPayload: number
  rates: readonly number[]
  openDuration: number
  /**
   * Applications are warmed up once. Otherwise, a job with more operations would measure warmer code.
   */
  http: { connections: number; stored: number; warmUp: number; warmUpAgain: number; duration: number }
  /** The same for applications whose differences are small. */
  application: { warmUp: number; warmUpAgain: number; duration: number }
  /**
   * Several processes at the same time. The times are at least `warmUp` and `duration`, at least
   * `warmUpEach` and `durationEach` for each operation in flight, and at least `perProcess` for each
   * process.
   */
  fleet: {
    stored: number
    processes: readonly number[]
    concurrencies: readonly number[]
    /** The warm-ups of new processes, one after the other. */
    jobWarmUps: readonly WarmUp[]
    /** How many rounds are measured before the processes are started again. */
    roundsPerStart: number
    warmUp: number
    warmUpEach: number
    duration: number
    durationEach: number
    perProcess: number
  }
  /** How many sessions of which sizes are stored to see what they take up. */
  storage: { sessions: number; payloads: readonly number[] }
  expiry: { sessions: number; rounds: number }
  pruning: { expired: number; rate: number; duration: number; rounds: number }
  /** The life of the sessions, and how long their storage is watched afterwards. */
  reclaim: { sessions: number; life: number; watched: number }
}

/** The scale of reference runs. */
export const full: Scale = {
  // With fewer rounds, no difference could be told from chance.
  rounds: 6,
  passes: 2,
  stored: 10_000,
  storedFiles: 1000,
  payload: 1000,
  concurrencies: [1, 32, 256],
  concurrency: 32,
  jobWarmUp: 400,
  jobWarmUpBrief: 200,
  warmUp: 30,
  jobWarmUpAlone: 750,
  warmUpAlone: 150,
  duration: 120,
  payloads: [200, 1000, 20_000],
  payloadStored: 1000,
  sizes: [10_000, 100_000, 1_000_000],
  sizesPayload: 200,
  rates: [1000, 4000],
  openDuration: 250,
  http: { connections: 64, stored: 1000, warmUp: 3000, warmUpAgain: 300, duration: 400 },
  application: { warmUp: 2000, warmUpAgain: 300, duration: 900 },
  fleet: {
    stored: 4096,
    processes: [1, 4, 8],
    concurrencies: [1, 4, 8, 16, 64],
    // After less, the engine had not settled in eight processes on two cores, and the store with
    // more code lost by it. Servers in production run for days.
    jobWarmUps: [
      { concurrency: 16, operations: 10_000, duration: 5000 },
      { concurrency: 1, operations: 40_000, duration: 40_000 },
      { concurrency: 4, operations: 10_000, duration: 6000 },
      { concurrency: 1, operations: 10_000, duration: 8000 },
    ],
    roundsPerStart: 6,
    warmUp: 50,
    warmUpEach: 0.3,
    duration: 150,
    durationEach: 0.6,
    // The caches hold the code and data of another fleet when a turn begins. With eight processes, it
    // takes a quarter of a second until that no longer shows.
    perProcess: 35,
  },
  storage: { sessions: 100_000, payloads: [200, 2000] },
  expiry: { sessions: 40, rounds: 2 },
  pruning: { expired: 20_000, rate: 1000, duration: 1000, rounds: 6 },
  // Most packages clean up about every 15 minutes, so storage is watched for longer.
  reclaim: { sessions: 1000, life: 10_000, watched: 1_260_000 },
}

/** A small scale that only shows that everything works. Its figures mean little. */
export const quick: Scale = {
  ...full,
  rounds: 1,
  stored: 1000,
  storedFiles: 600,
  jobWarmUp: 20,
  jobWarmUpBrief: 20,
  warmUp: 5,
  jobWarmUpAlone: 20,
  warmUpAlone: 10,
  duration: 10,
  payloads: [20_000],
  payloadStored: 250,
  sizes: [2000],
  rates: [1000],
  openDuration: 50,
  http: { connections: 16, stored: 100, warmUp: 50, warmUpAgain: 20, duration: 50 },
  application: { warmUp: 50, warmUpAgain: 20, duration: 50 },
  fleet: {
    stored: 512,
    processes: [2],
    concurrencies: [1, 8],
    jobWarmUps: [
      { concurrency: 16, operations: 1000, duration: 50 },
      { concurrency: 1, operations: 1000, duration: 50 },
    ],
    roundsPerStart: 3,
    warmUp: 10,
    warmUpEach: 0.3,
    duration: 20,
    durationEach: 0.6,
    perProcess: 10,
  },
  storage: { sessions: 2000, payloads: [200] },
  expiry: { sessions: 10, rounds: 1 },
  pruning: { expired: 1000, rate: 500, duration: 200, rounds: 1 },
  reclaim: { sessions: 50, life: 5000, watched: 20_000 },
}
