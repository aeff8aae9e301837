import type { Awaitable, Driver } from '@session-stores/core'
import { type DriverRule, makeKeys } from './fixture.ts'

const ROUNDS = 100

/** One try of a race, on a key of its own. */
interface Round {
  a: Driver
  b: Driver
  key: string
  now: number
  /** Makes both calls at once. Which of them is sent first changes from round to round. */
  both<One, Other>(one: () => Awaitable<One>, other: () => Awaitable<Other>): Promise<[One, Other]>
}

/**
 * Makes a rule that is tried in many rounds. The drivers change their roles from round to round,
 * too.
 */
export function makeRaceRule(id: string, why: string, round: (round: Round) => Promise<void>): DriverRule {
  return {
    id: `contract/race/${id}`,
    why,
    async check({ a, b, now }) {
      for (const [i, key] of makeKeys(ROUNDS).entries()) {
        const both: Round['both'] = async (one, other) => {
          if (i % 4 < 2) return Promise.all([one(), other()])
          const [second, first] = await Promise.all([other(), one()])
          return [first, second]
        }
        await round(i % 2 ? { a, b, key, now, both } : { a: b, b: a, key, now, both })
      }
    },
  }
}
