/** The newest refresh token of a family, as the family's row says. */
export interface Generation {
  /** The number of the newest refresh token, from 0. */
  n: number
  /** When that token was handed out, in epoch milliseconds. */
  at: number
  /**
   * When an access token that came with it was used for the first time: the client certainly has it
   * since then. In epoch milliseconds, or `null`.
   */
  seen: number | null
}

/** What a refresh does: hands out a new token, hands out the newest one again, or ends the family. */
export type Decision =
  | { readonly kind: 'rotate' | 'repeat'; readonly generation: Generation }
  | { readonly kind: 'reuse' }

const REUSE: Decision = { kind: 'reuse' }

/** A token is replaced at the earliest after this many times the grace period. */
const MIN_AGE = 3
/** A token is replaced at the earliest this many times the grace period after its first use. */
const SETTLED = 2

/**
 * Decides what happens to a refresh token with the number `presented`. Each generation has one
 * successor, whoever asks for it and however often, so two tabs or a lost answer end nothing. A
 * generation is over `grace` after its successor was used: whoever presents it then has an old
 * copy. With a `grace` of 0, a generation is over as soon as it has a successor.
 *
 * `docs/generated/refresh-rotation.md` compares this rule with those of other systems.
 *
 * @param now in epoch milliseconds.
 * @param grace how long an answer may take to reach the client, in milliseconds.
 */
export function decide(generation: Generation, presented: number, now: number, grace: number): Decision {
  const { n, at, seen } = generation
  // The database lost writes, in a failover for example. The client knows better.
  if (presented > n) return rotate(presented, now)
  if (presented === n) {
    // Without a grace period, a token works once, also where the clock of the process that handed it
    // out was ahead.
    const isSettled =
      grace === 0 || (now - at >= MIN_AGE * grace && (seen === null || now - seen >= SETTLED * grace))
    return isSettled ? rotate(n, now) : { kind: 'repeat', generation }
  }
  const isGraceful = grace > 0 && (seen === null || now - seen <= grace)
  if (presented !== n - 1 || !isGraceful) return REUSE
  // The successor is on its way once more, so it must not be replaced before it has arrived.
  return { kind: 'repeat', generation: now - at > grace ? { n, at: now, seen } : generation }
}

const rotate = (n: number, now: number): Decision => ({
  kind: 'rotate',
  generation: { n: n + 1, at: now, seen: null },
})
