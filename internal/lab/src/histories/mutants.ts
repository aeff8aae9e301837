import { setTimeout as pause } from 'node:timers/promises'
import type { SessionStore } from '@session-stores/core'
import type { Tokens } from '@session-stores/token'
import type { SessionData } from 'express-session'

/** The stores that are broken on purpose. The checker has to find each of them. */
export const MUTANTS = [
  'loses an update',
  'acknowledges a logout that it forgets',
  'revives a session by a late save',
  'answers from a stale cache',
  'ignores deadlines',
  'ends sessions early',
  'acknowledges a plain object that was refused',
  'counts an update twice',
  'acknowledges an update that it loses',
  'writes old data back on a touch',
  'acknowledges a revoke that it forgets',
  'says of two revokes at once that each ended the session',
  'leaves a session of a revoked user',
  'leaves the old session when it regenerates',
  'accepts a refresh token twice',
  'ends a family within the grace period',
  'refreshes a family after its end',
  'verifies a token of an ended session',
  'acknowledges a sign-out of tokens that it forgets',
] as const
export type Mutant = (typeof MUTANTS)[number]

/** How far the clock of the store is wrong, in milliseconds. */
export function wrongClockOf(mutant: Mutant | undefined): number {
  return mutant === 'ignores deadlines' ? -60_000 : mutant === 'ends sessions early' ? 600 : 0
}

/** Breaks the store. A fault strikes every third call, so that the others show what is lost. */
export function breakStore(store: SessionStore, mutant: Mutant | undefined): SessionStore {
  let calls = 0
  const strikes = (): boolean => ++calls % 3 === 0
  const original = {
    get: store.get.bind(store) as (id: string) => Promise<unknown>,
    set: store.set.bind(store) as (id: string, session: unknown) => Promise<void>,
    update: store.update.bind(store),
    destroy: store.destroy.bind(store) as (id: string) => Promise<void>,
    revoke: store.revoke.bind(store),
    revokeUser: store.revokeUser.bind(store),
  }
  const change = (methods: object): SessionStore => Object.assign(store, methods)
  switch (mutant) {
    case 'loses an update':
      return change({
        set: (id: string, session: unknown) => (strikes() ? Promise.resolve() : original.set(id, session)),
      })
    case 'acknowledges a logout that it forgets':
      return change({ destroy: (id: string) => (strikes() ? Promise.resolve() : original.destroy(id)) })
    case 'revives a session by a late save':
      return change({
        set: (id: string, session: object) =>
          original.set(id, session).catch((error) => {
            if (error.code !== 'GONE') throw error
            // A new object of the same class creates the session anew.
            const created = Object.assign(Object.create(Object.getPrototypeOf(session)), session)
            return original.set(id, Object.defineProperty(created, 'req', { value: undefined }))
          }),
      })
    case 'answers from a stale cache': {
      const known = new Map<string, unknown>()
      return change({
        async get(id: string) {
          if (known.has(id) && strikes()) return known.get(id)
          const found = await original.get(id)
          known.set(id, found)
          return found
        },
      })
    }
    case 'acknowledges a plain object that was refused':
      return change({
        set: (id: string, session: object) =>
          original.set(id, session).catch((error) => {
            if (error.code !== 'GONE' || !Object.hasOwn(session, 'plain')) throw error
          }),
      })
    case 'counts an update twice':
      return change({
        update: (id: string, alter: Parameters<typeof store.update>[1]) =>
          strikes()
            ? original.update(id, alter).then(() => original.update(id, alter))
            : original.update(id, alter),
      })
    case 'acknowledges an update that it loses':
      return change({
        async update(id: string, alter: Parameters<typeof store.update>[1]) {
          if (typeof id !== 'string' || !strikes()) return original.update(id, alter)
          const found = (await original.get(id)) as SessionData | null
          return found === null ? null : (alter(found) ?? found)
        },
      })
    case 'writes old data back on a touch':
      return change({
        touch: (id: string, session: SessionData) => {
          // A copy has no history, so it replaces what is there.
          const { cookie, ...data } = session
          return original.set(id, { ...data, cookie: { ...cookie, expires: cookie.expires } })
        },
      })
    case 'acknowledges a revoke that it forgets':
      return change({
        revoke: async (handle: string) =>
          strikes() ? (await store.peek(handle)) !== null : original.revoke(handle),
      })
    case 'says of two revokes at once that each ended the session':
      return change({
        async revoke(handle: string) {
          const found = await store.peek(handle)
          // Other calls come between, as where the database is far away.
          await pause(20)
          await original.revoke(handle)
          return found !== null
        },
      })
    case 'leaves a session of a revoked user':
      return change({ revokeUser: (user: string) => original.revokeUser(user, { keepNewest: 1 }) })
    case 'leaves the old session when it regenerates':
      return change({ regenerate: (_request: unknown, callback: () => void) => setImmediate(callback) })
    default:
      return store
  }
}

/**
 * Makes tokens with this grace period, in milliseconds, and breaks them. A fault strikes every third
 * call.
 */
export function breakTokens(
  make: (grace: number) => Tokens,
  grace: number,
  mutant: Mutant | undefined,
): Tokens {
  let calls = 0
  const strikes = (): boolean => ++calls % 3 === 0
  const tokens = make(grace)
  const original = {
    refresh: tokens.refresh.bind(tokens),
    verify: tokens.verify.bind(tokens),
    revoke: tokens.revoke.bind(tokens),
  }
  const lenient = make(60_000)
  const strict = make(0)
  const change = (methods: object): Tokens => Object.assign(tokens, methods)
  switch (mutant) {
    case 'accepts a refresh token twice':
      return change({
        refresh: (token: string) => (strikes() ? lenient.refresh(token) : original.refresh(token)),
      })
    case 'ends a family within the grace period':
      return change({ refresh: (token: string) => strict.refresh(token) })
    case 'refreshes a family after its end': {
      const last = new Map<string, unknown>()
      return change({
        async refresh(token: string) {
          try {
            const refreshed = await original.refresh(token)
            last.set(token, { ...refreshed, rotated: false })
            return refreshed
          } catch (error) {
            if ((error as { code?: string }).code !== 'REVOKED' || !last.has(token)) throw error
            return last.get(token)
          }
        },
      })
    }
    case 'verifies a token of an ended session':
      return change({ verify: (token: string) => original.verify(token, { freshness: false }) })
    case 'acknowledges a sign-out of tokens that it forgets':
      return change({ revoke: (token: string) => (strikes() ? Promise.resolve() : original.revoke(token)) })
    default:
      return tokens
  }
}
