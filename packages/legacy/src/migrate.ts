import {
  checkOptions,
  type LegacyReader,
  type LegacyRow,
  type MoveOutcome,
  type OptionRule,
  type SessionStore,
  SessionStoreError,
  timers,
} from '@session-stores/core'

/** How many sessions a migration has moved, and what became of the others. */
export interface MigrationReport extends Record<MoveOutcome, number> {
  /** Sessions that are in the store now, and were not before. */
  moved: number
  /** Sessions that were in the store already. */
  present: number
  /** Rows of sessions that were signed out. */
  ended: number
  /** Rows whose time is over. The other store removes them. */
  expired: number
  /** Rows that are no sessions, or none that the store can hold. They stay. */
  unreadable: number
  /** Where to go on, as `after`. Absent where all rows have been seen. */
  next?: string
}

/** How a migration works. */
export interface MigrateOptions {
  /**
   * Copies, and leaves the rows of the other store: for the time in which its processes still run.
   *
   * @default false
   */
  keep?: boolean
  /**
   * Counts what would happen, and writes nothing.
   *
   * @default false
   */
  dryRun?: boolean
  /** The `next` of a report, to go on where another run has stopped. */
  after?: string
  /** At most this many rows a second. Without it, as many as both databases take. */
  rate?: number
  /** Stops after the rows that are under way. The report says where to go on. */
  signal?: AbortSignal
  /** Is called after every few hundred rows, with the number of all rows where it is known. */
  onProgress?: (progress: MigrationReport & { total?: number }) => void
}

const isBoolean = (value: unknown) => typeof value === 'boolean'
const rules: Record<keyof MigrateOptions, OptionRule> = {
  keep: ['a boolean', isBoolean],
  dryRun: ['a boolean', isBoolean],
  after: ['the next of a report', (value) => typeof value === 'string'],
  rate: ['a number of rows a second, more than 0', (value) => typeof value === 'number' && value > 0],
  signal: ['an AbortSignal', (value) => typeof (value as AbortSignal | null)?.aborted === 'boolean'],
  onProgress: ['a function of a report', (value) => typeof value === 'function'],
}

/** The row of no session, for which a store only says whether it may read the other store's rows. */
const NOBODY: LegacyRow = { id: '', error: new SessionStoreError('CORRUPT', 'no session') }

/** How many rows are read, and how many are moved, at a time. */
const [PAGE, TOGETHER] = [512, 128]

/**
 * Moves all sessions of another store in: creates each one where it is missing, and then removes its
 * row there. It may be run again, stopped and killed at any time, beside the running application: no
 * session is ever in neither store, and none that was signed out comes back.
 *
 * @throws TypeError for a wrong option, and where both stores keep their rows in one place.
 * @throws BAD_STORAGE or SEAL_BROKEN where the rows are not such of that store; nothing was moved then.
 * Other codes where a database fails in the middle: run it again.
 * @example
 * const report = await migrate(store, connectRedis({ client }), { rate: 2000 })
 */
export async function migrate(
  store: SessionStore,
  from: LegacyReader,
  options: MigrateOptions = {},
): Promise<MigrationReport> {
  checkOptions(options, rules)
  const { keep = false, dryRun = false, rate = Number.POSITIVE_INFINITY, signal, onProgress } = options
  const report: MigrationReport = { moved: 0, present: 0, ended: 0, expired: 0, unreadable: 0 }
  const { now } = store.settings
  await store.moveIn(from, NOBODY, { dryRun: true })
  await from.check(now())
  const total = onProgress && (await from.count())
  const begun = timers.uptime()
  let seen = 0

  /** Moves some rows. Where one fails, the others have been moved, or not, before it throws. */
  async function move(rows: readonly LegacyRow[]): Promise<void> {
    const outcomes = await Promise.allSettled(rows.map((row) => store.moveIn(from, row, { keep, dryRun })))
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') report[outcome.value]++
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
    seen += rows.length
    const early = begun + (seen / rate) * 1000 - timers.uptime()
    if (early > 0) await pauseUnless(signal, early)
  }

  let { after } = options
  const together = Math.max(1, Math.min(TOGETHER, Math.ceil(rate)))
  for (;;) {
    const { rows, next } = await from.scan({ after, limit: PAGE, now: now() })
    for (let i = 0; i < rows.length; i += together) {
      if (signal?.aborted) return { ...report, ...(after !== undefined && { next: after }) }
      await move(rows.slice(i, i + together))
    }
    onProgress?.({ ...report, ...(next !== undefined && { next }), ...(total !== undefined && { total }) })
    if (next === undefined || signal?.aborted) return { ...report, ...(next !== undefined && { next }) }
    after = next
  }
}

/** Waits, but no longer than until the signal. */
function pauseUnless(signal: AbortSignal | undefined, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = timers.setTimeout(done, milliseconds)
    function done(): void {
      timers.clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
    if (signal?.aborted) done()
  })
}
