import type { Scenario } from './model.ts'

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 3_600_000

/** How often each scenario is run. */
export const RUNS = 10_000

/** How often the client and the thief refresh on average, in milliseconds. */
export const PACE: number = 5 * MINUTE

/** By which part of the average the times between refreshes differ from it at most. */
export const SPREADS: Readonly<Record<'irregular' | 'regular', number>> = { irregular: 0.5, regular: 0.025 }

/** What happens to tabs that share a token, by what it is called in the table. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  '4 tabs, every 4 s, 3 s late, 10% lost': {
    tabs: 4,
    every: 4 * SECOND,
    delay: 3 * SECOND,
    lost: 0.1,
    duration: 5 * MINUTE,
  },
  '4 tabs, every 5 min, 10 s late, 10% lost': {
    tabs: 4,
    every: 5 * MINUTE,
    delay: 10 * SECOND,
    lost: 0.1,
    duration: 6 * HOUR,
  },
  '6 tabs, every minute, 29 s late, 20% lost': {
    tabs: 6,
    every: MINUTE,
    delay: 29 * SECOND,
    lost: 0.2,
    duration: HOUR,
  },
  '1 client, every 5 min, 10 s late, 30% lost': {
    tabs: 1,
    every: 5 * MINUTE,
    delay: 10 * SECOND,
    lost: 0.3,
    duration: 24 * HOUR,
  },
}
