import type { Tokens } from '@session-stores/token'
import type { Outcome } from './client.ts'
import { FRESHNESS, GRACES, type Pair, type Question, type Verb } from './protocol.ts'

/** Tokens that grant, refresh and verify, by the grace period. */
export type TokensByGrace = ReadonlyMap<number, Tokens>

/** A logout, by tokens or without. */
type End = 'destroy' | 'revoke'
/** A call that tokens take. */
type TokenVerb = 'grant' | 'refresh' | 'verify' | End

export const isEnd = (verb: Verb): verb is End => verb === 'destroy' || verb === 'revoke'
export const isOfTokens = (verb: Verb): verb is TokenVerb =>
  verb === 'grant' || verb === 'refresh' || verb === 'verify' || isEnd(verb)

/** A call that a client is to note and make. */
export interface TokenCall {
  readonly question: Question
  readonly make: () => Promise<Outcome>
}

/** Stands between a history and the handle of a family in the checker's name of the family. */
export const FAMILY = '-t'
/** The families of a history that a process offers at most. Reuse ends them, so there are several. */
const FAMILIES = 6
/** The share of refreshes that present the newest token that the process knows. */
const NEWEST = 0.7

/** The tokens that the clients of one process know, by their histories. */
export class Purse {
  readonly #pairs = new Map<string, Pair[]>()

  add(pair: Pair): void {
    const pairs = this.#pairs.get(pair.history) ?? []
    this.#pairs.set(pair.history, pairs)
    pairs.push(pair)
  }

  /** The pairs of each family of a history, oldest first. */
  families(history: string): Pair[][] {
    const families = new Map<string, Pair[]>()
    for (const pair of this.#pairs.get(history) ?? []) {
      const family = families.get(pair.session) ?? []
      families.set(pair.session, family)
      family.push(pair)
    }
    return [...families.values()]
  }
}

/** Chooses the calls about tokens of one history. */
export class TokenCalls {
  readonly #tokens: TokensByGrace
  readonly #history: string
  readonly #random: () => number
  readonly #purse: Purse

  constructor(tokens: TokensByGrace, history: string, random: () => number, purse: Purse) {
    this.#tokens = tokens
    this.#history = history
    this.#random = random
    this.#purse = purse
  }

  /** Returns a call of this verb, or the grant without which there is nothing to call. */
  choose(verb: TokenVerb): TokenCall {
    const families = this.#purse.families(this.#history)
    const isFull = families.length >= FAMILIES
    if (families.length === 0 || (verb === 'grant' && !isFull)) return this.#grant()
    const family = this.#pick(families)
    if (verb === 'refresh') {
      const newest = family.reduce((one, other) => (other.n >= one.n ? other : one))
      return this.#refresh(this.#random() < NEWEST ? newest : this.#pick(family))
    }
    const pair = this.#pick(family)
    if (isEnd(verb)) return this.#end(verb, pair)
    return this.#verify(pair)
  }

  #grant(): TokenCall {
    const grace = this.#pick(GRACES)
    return {
      question: { session: undefined, verb: 'grant', grace },
      make: async () => {
        const user = { user: this.#history }
        const granted = await this.#tokens.get(grace)!.grant(user as never, { client: 'lab' })
        const pair = toPair(this.#history, grace, granted)
        return { answer: 'ok', session: pair.session, pair }
      },
    }
  }

  #refresh({ session, grace, n, refreshToken }: Pair): TokenCall {
    return {
      question: { session, verb: 'refresh', n, grace },
      make: async () => {
        const refreshed = await this.#tokens.get(grace)!.refresh(refreshToken)
        const pair = toPair(this.#history, grace, refreshed)
        const found = { n: `${pair.n}` }
        return { answer: 'ok', found, ...(refreshed.rotated && { pair }) }
      },
    }
  }

  #verify({ session, grace, n, accessToken }: Pair): TokenCall {
    const freshness = this.#random() < 0.5 ? 0 : FRESHNESS
    return {
      question: { session, verb: 'verify', n, freshness },
      make: async () => {
        await this.#tokens.get(grace)!.verify(accessToken, { freshness })
        return { answer: 'ok' }
      },
    }
  }

  #end(verb: 'destroy' | 'revoke', { session, grace, handle, accessToken, refreshToken }: Pair): TokenCall {
    const tokens = this.#tokens.get(grace)!
    const token = this.#random() < 0.5 ? accessToken : refreshToken
    return {
      question: { session, verb },
      make: async () => {
        if (verb === 'revoke') return { answer: (await tokens.store.revoke(handle)) ? 'true' : 'false' }
        await tokens.revoke(token)
        return { answer: 'ok' }
      },
    }
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)]!
  }
}

/** Reads from the access token which family and generation it belongs to. */
function toPair(history: string, grace: number, tokens: { accessToken: string; refreshToken: string }): Pair {
  const { accessToken, refreshToken } = tokens
  const payload = Buffer.from(accessToken.split('.')[1]!, 'base64url').toString()
  const { sid: handle, gen: n } = JSON.parse(payload) as { sid: string; gen: number }
  const session = `${history}${FAMILY}${handle}`
  return { history, session, handle, n, grace, accessToken, refreshToken }
}
