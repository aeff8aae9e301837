import { events, type PruneEvent } from '../events.ts'
import type { Settings } from '../options.ts'
import type { Dispatcher } from './dispatcher.ts'
import { clearTimeout, setImmediate, setTimeout } from './timers.ts'

/**
 * How far apart the clocks of the application and the database may be before a warning.
 * Milliseconds.
 */
const CLOCK_TOLERANCE = 60_000
/** How many rows are pruned at a time. */
const PRUNE_STEP = 256

/** Prunes expired rows, in the background and on demand, and compares the clocks. */
export class Upkeep {
  readonly #dispatcher: Dispatcher
  readonly #settings: Settings
  #hasWarned = false
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(dispatcher: Dispatcher, settings: Settings) {
    this.#dispatcher = dispatcher
    this.#settings = settings
  }

  /**
   * Calls `prune` every `pruneInterval`, give or take a quarter, and publishes how each round went.
   */
  schedule(prune: () => Promise<number>): void {
    const { pruneInterval } = this.#settings
    if (pruneInterval === 0) return
    const jittered = pruneInterval * (0.75 + Math.random() / 2)
    this.#timer = setTimeout(async () => {
      const event: PruneEvent = { driver: this.#dispatcher.driver.name, removed: 0, error: null }
      try {
        event.removed = await prune()
      } catch (error) {
        event.error = error
      }
      events.prune.publish(event)
      if (!this.#isStopped) this.schedule(prune)
    }, jittered).unref()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Removes expired rows, step by step, and resolves with how many. */
  async prune(): Promise<number> {
    await this.compareClocks()
    let removed = 0
    for (;;) {
      const { driver } = this.#dispatcher
      const step = await this.#dispatcher.run('prune', () => driver.prune(this.#settings.now(), PRUNE_STEP))
      removed += step
      if (step < PRUNE_STEP || this.#isStopped) return removed
      await new Promise(setImmediate)
    }
  }

  /**
   * Asks the database for the time, and warns once where the clock of this process is far from it.
   */
  async compareClocks(): Promise<void> {
    const { driver } = this.#dispatcher
    const before = Date.now()
    const time = await this.#dispatcher.run('ping', () => driver.ping())
    const after = Date.now()
    const ahead = before > time ? before - time : after < time ? after - time : 0
    if (Math.abs(ahead) <= CLOCK_TOLERANCE || this.#hasWarned) return
    this.#hasWarned = true
    const seconds = Math.round(Math.abs(ahead) / 1000)
    process.emitWarning(
      `the clock of this process is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} that of the ${driver.name} ` +
        'database: sessions end too early or too late; let both follow a time server',
      { type: 'SessionStoresWarning', code: 'SESSION_STORES_CLOCK' },
    )
  }
}
