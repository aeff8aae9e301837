/** The shortest duration of each option that is no likely mistake, in milliseconds. */
const SHORTEST = {
  idleTimeout: 1000,
  absoluteTimeout: 1000,
  touchAfter: 1000,
  tombstoneTimeout: 1000,
  pruneInterval: 1000,
  // Some applications give up a call after a fraction of a second on purpose.
  operationTimeout: 100,
} as const

/** Seconds of an hour, two hours, a day, a week, two weeks, 30 days: the usual `ttl` elsewhere. */
const USUAL_SECONDS = [3600, 7200, 86_400, 604_800, 1_209_600, 2_592_000]

const warned = new Set<string>()

/** Options whose values are milliseconds, or `false`, and the clock. */
interface Durations extends Partial<Record<keyof typeof SHORTEST, number | false>> {
  now?: () => number
}

/**
 * Warns once in a process for each option whose duration looks like seconds. A store with a clock of
 * its own is in a test, where short durations are meant.
 */
export function warnOfSeconds(options: Durations): void {
  if (options.now !== undefined) return
  for (const [name, shortest] of Object.entries(SHORTEST)) {
    const value = options[name as keyof typeof SHORTEST]
    if (!value || (value >= shortest && !USUAL_SECONDS.includes(value)) || warned.has(name)) continue
    warned.add(name)
    process.emitWarning(
      `option '${name}' is ${value} milliseconds: if you mean seconds, write ${value} * 1000`,
      {
        type: 'SessionStoresWarning',
        code: 'SESSION_STORES_SHORT_DURATION',
      },
    )
  }
}
