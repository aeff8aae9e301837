import session, { type SessionData, type Store } from 'express-session'
import type { Mutant } from '../support/reference.ts'

export type Callback = (error?: unknown) => void
export type ReadCallback = (error: unknown, session?: SessionData | null) => void
type Loose = SessionData & Record<string, unknown>

export const HOUR = 3_600_000

/** Calls back in a later turn of the event loop, as a store does. */
export const answer = (callback: unknown, ...results: unknown[]): void =>
  process.nextTick((callback as (() => void) | undefined) ?? (() => {}), ...results)

/** Returns a copy of a session. */
export const copy = <T>(session: T): T => JSON.parse(JSON.stringify(session))

/** Saves and touches another session than the given one. */
export const changeSaves =
  (change: (session: Loose, id: string) => object): Mutant =>
  (store) => {
    const apply = (id: string, session: SessionData): SessionData =>
      change(copy(session) as Loose, id) as SessionData
    return {
      set: (id, session, callback) => void store.set(id, apply(id, session), callback as Callback),
      touch: (id, session, callback) => void store.touch(id, apply(id, session), callback as Callback),
    }
  }

/** Changes the cookie of every session that is saved or touched. */
export const changeCookie = (change: (cookie: SessionData['cookie']) => object): Mutant =>
  changeSaves((session) => ({ ...session, cookie: { ...session.cookie, ...change(session.cookie) } }))

export const deadlineIn = (ms: number): Date => new Date(Date.now() + ms)

/** Changes the deadline of every session that is saved or touched. */
export const changeDeadline = (
  change: (expires: number | null, maxAge: number | null, id: string) => number | Date | null,
): Mutant =>
  changeSaves((session, id) => {
    const { expires, originalMaxAge } = session.cookie
    const changed = change(expires ? +new Date(expires) : null, originalMaxAge, id)
    const cookie = { ...session.cookie, expires: changed === null ? null : new Date(changed) }
    return { ...session, cookie: changed === null ? { ...cookie, originalMaxAge: null } : cookie }
  })

/** Ends sessions by the `ttl` alone. */
export const ignoresDeadlines: Mutant = changeDeadline(() => null)

/** Saves over whatever is there, without looking at the version that the request read. */
export const overwrites: Mutant = changeSaves((session) => session)

/** Merges a save into the stored session, so that a deleted key comes back. */
export const mergesSaves: Mutant = (store) => ({
  set: (id, session, callback) =>
    void store.get(id, (_, before) => store.set(id, { ...before, ...copy(session) }, callback as Callback)),
})

/** Fails to save certain sessions. */
export const refuseSaves =
  (when: (session: SessionData, id: string) => boolean): Mutant =>
  (store) => ({
    set(id, session, callback) {
      if (when(session, id)) answer(callback, new Error('cannot be saved'))
      else store.set(id, session, callback as Callback)
    },
  })

/** Calls back without saving certain sessions. */
export const ignoreSaves =
  (when: (session: SessionData) => boolean): Mutant =>
  (store) => ({
    set(id, session, callback) {
      if (when(session)) answer(callback)
      else store.set(id, session, callback as Callback)
    },
  })

/** Calls back without extending certain sessions. */
export const ignoreTouches =
  (when: (session: SessionData) => boolean = () => true): Mutant =>
  (store) => ({
    touch(id, session, callback) {
      if (when(session)) answer(callback)
      else store.touch(id, session, callback as Callback)
    },
  })

/** Saves the whole session at a touch. */
export const savesTouches: Mutant = (store) => ({
  touch: (id, session, callback) => void store.set(id, copy(session), callback as Callback),
})

/** Finds no session at all. */
export const forgets: Mutant = () => ({ get: (_id, callback) => answer(callback, null, null) })

/** Answers every read after the first from a cache that never changes. */
export const cachesReads: Mutant = (store) => {
  const cache = new Map<string, string>()
  return {
    get(id, callback) {
      const cached = cache.get(id)
      if (cached) return answer(callback, null, JSON.parse(cached))
      store.get(id, (error, found) => {
        if (found) cache.set(id, JSON.stringify(found))
        callback(error, found)
      })
    },
  }
}

/** Gives all reads that are open at once, and have the same key, the answer of the first. */
export const shareReads =
  (toKey: (id: string) => string): Mutant =>
  (store) => {
    const open = new Map<string, ReadCallback[]>()
    return {
      get(id, callback) {
        const key = toKey(id)
        const others = open.get(key)
        if (others) return void others.push(callback)
        const callbacks: ReadCallback[] = [callback]
        open.set(key, callbacks)
        store.get(id, (error, found) => {
          open.delete(key)
          for (const one of callbacks) one(error, found)
        })
      },
    }
  }

/** Answers a read that fails as if there were no session. */
export const hidesReadErrors: Mutant = (store) => ({
  get: (id, callback) => void store.get(id, (error, found) => callback(null, error ? null : found)),
})

/** Never answers a read that fails. */
export const hangsOnReadErrors: Mutant = (store) => ({
  get: (id, callback) => void store.get(id, (error, found) => error || callback(null, found)),
})

/** Fails where there is no such session. */
export const failOnMisses =
  (method: 'get' | 'touch' | 'destroy'): Mutant =>
  (store) => ({
    [method](...args: unknown[]) {
      const callback = args.at(-1) as Callback
      store.get(args[0] as string, (error, found) => {
        if (error || !found) return callback(error ?? new Error('there is no such session'))
        const call = store[method] as (...args: unknown[]) => unknown
        call(...args)
      })
    },
  })

/** Fails a call of this method while as many others as `limit` are open. */
export const limitCalls =
  (method: 'set' | 'touch' | 'destroy', limit = 1): Mutant =>
  (store) => {
    let open = 0
    return {
      [method](...args: unknown[]) {
        const callback = args.pop() as Callback
        if (open >= limit) return answer(callback, new Error('another call is on its way'))
        open++
        const call = store[method] as (...args: unknown[]) => unknown
        call(...args, (error?: unknown) => {
          open--
          callback(error)
        })
      },
    }
  }

/** The `regenerate` of express-session's own stores, which ignores what became of the session. */
export const regenerate: Store['regenerate'] = session.Store.prototype.regenerate

/** Calls back without destroying the session. */
export const keepsDestroyed: Mutant = () => ({
  destroy: (_id, callback) => answer(callback),
  regenerate,
})

/** Counts saves as sessions. */
export const countsSaves: Mutant = (store) => {
  let saves = 0
  return {
    set(id, session, callback) {
      saves++
      store.set(id, session, callback as Callback)
    },
    length: (callback) => answer(callback, null, saves),
  }
}

/** Lists every session that was ever saved through this store, and no other. */
export const remembersSaves: Mutant = (store) => {
  const saved = new Map<string, SessionData>()
  return {
    set(id, session, callback) {
      saved.set(id, copy(session))
      store.set(id, session, callback as Callback)
    },
    all: (callback) => answer(callback, null, Object.fromEntries(saved)),
    length: (callback) => answer(callback, null, saved.size),
  }
}

/**
 * Replaces the reference store by a simple one, in which the last save wins. All stores of this
 * mutant share their sessions, whatever their prefix or secret.
 */
export const makeSimple = (
  change: (rows: Map<string, string>) => ReturnType<Mutant> = () => ({}),
): Mutant => {
  const rows = new Map<string, string>()
  return () => ({
    get: (id, callback) => answer(callback, null, JSON.parse(rows.get(id) ?? 'null')),
    set(id, session, callback) {
      rows.set(id, JSON.stringify(session))
      answer(callback)
    },
    touch: (_id, _session, callback) => answer(callback),
    destroy(id, callback) {
      rows.delete(id)
      answer(callback)
    },
    all: (callback) =>
      answer(callback, null, Object.fromEntries(Array.from(rows, ([id, row]) => [id, JSON.parse(row)]))),
    length: (callback) => answer(callback, null, rows.size),
    clear(callback) {
      rows.clear()
      answer(callback)
    },
    ...change(rows),
  })
}

/** Shares its sessions with no other store. */
export const sharesNothing: Mutant = (store) => makeSimple()(store)
