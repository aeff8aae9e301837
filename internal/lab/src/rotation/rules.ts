import { decide, type Generation } from '@session-stores/token'

/** Milliseconds. */
const GRACE = 30_000

/** A refresh token of the model. */
export interface Token {
  /** The number in the family. Branches may have the same number. */
  readonly n: number
}

/** What a server answers to a refresh token. */
interface Answer {
  /** The token that the client is to keep; `undefined` where it keeps the one that it has. */
  readonly token?: Token
  /** How many generations older than the newest token the presented one was. */
  readonly age: number
}

/** A family of refresh tokens, as a server keeps it. */
interface Family {
  readonly first: Token
  /** Returns `undefined` where the server takes the token for a stolen one and ends the family. */
  refresh(presented: Token, now: number): Answer | undefined
  /** Notes that an access token that came with this refresh token has been used. */
  confirm(token: Token, now: number): void
}

/** A rule by which refresh tokens are replaced. */
export interface Rule {
  readonly name: string
  open(now: number): Family
}

const ignore = (): void => {}
const next = ({ n }: Token): Token => ({ n: n + 1 })

/** Each token works once (RFC 9700, 4.14.2, as it is usually read). */
const strict: Rule = {
  name: 'each token works once',
  open() {
    let current: Token = { n: 0 }
    return {
      first: current,
      confirm: ignore,
      refresh(presented) {
        if (presented !== current) return undefined
        current = next(current)
        return { token: current, age: 0 }
      },
    }
  },
}

/** The last token works for a while, and each use makes a new successor. */
const newSuccessor: Rule = {
  name: 'for 30 s, the last token gets a new successor (SuperTokens 5.6)',
  open() {
    let current: Token = { n: 0 }
    let previous: Token | undefined
    let rotatedAt = 0
    return {
      first: current,
      confirm: ignore,
      refresh(presented, now) {
        const isCurrent = presented === current
        if (!isCurrent && (presented !== previous || now - rotatedAt > GRACE)) return undefined
        if (isCurrent) {
          previous = current
          rotatedAt = now
        }
        current = next(presented)
        return { token: current, age: isCurrent ? 0 : 1 }
      },
    }
  },
}

/** Each use of a token within the time makes a branch of its own. */
const branches: Rule = {
  name: 'for 30 s, each use of a token makes a branch (Ory Hydra)',
  open() {
    const usedAt = new Map<Token, number>()
    return {
      first: { n: 0 },
      confirm: ignore,
      refresh(presented, now) {
        const used = usedAt.get(presented)
        if (used !== undefined && now - used > GRACE) return undefined
        if (used === undefined) usedAt.set(presented, now)
        return { token: next(presented), age: used === undefined ? 0 : 1 }
      },
    }
  },
}

/** The last token gets the one successor again, for a time or always. */
function sameSuccessor(name: string, grace: number, reuseInterval = 0): Rule {
  return {
    name,
    open() {
      let current: Token = { n: 0 }
      let rotatedAt = 0
      return {
        first: current,
        confirm: ignore,
        refresh(presented, now) {
          const age = current.n - presented.n
          if (age === 0) {
            current = next(current)
            rotatedAt = now
          } else if (!(age === 1 && now - rotatedAt <= grace) && !(now - rotatedAt <= reuseInterval))
            return undefined
          return { token: current, age }
        },
      }
    },
  }
}

/** The rule of `@session-stores/token`. */
export const proposed: Rule = {
  name: 'one successor, confirmed by use (this project)',
  open(now) {
    let generation: Generation = { n: 0, at: now, seen: null }
    return {
      first: { n: 0 },
      confirm({ n }, time) {
        if (generation.n === n && generation.seen === null) generation = { ...generation, seen: time }
      },
      refresh(presented, time) {
        const age = generation.n - presented.n
        const decision = decide(generation, presented.n, time, GRACE)
        if (decision.kind === 'reuse') return undefined
        generation = decision.generation
        return generation.n === presented.n ? { age } : { token: { n: generation.n }, age }
      },
    }
  },
}

export const rules: readonly Rule[] = [
  strict,
  newSuccessor,
  branches,
  sameSuccessor('for 30 s, the last token gets the same successor', GRACE),
  sameSuccessor('the last token always gets the same successor (Supabase)', Number.POSITIVE_INFINITY, 10_000),
  proposed,
]
