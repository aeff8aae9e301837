import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { type Callback, saving } from './shared.ts'

/** Faults that rules about time, order and other processes find. */

export type Found = (error: unknown, session?: SessionData | null) => void

/** Calls back in a later turn, as a store does. */
export const answer = (callback: unknown, ...results: unknown[]): void =>
  process.nextTick((callback as (() => void) | undefined) ?? (() => {}), ...results)

export const HOUR = 3_600_000

export const deadlineIn = (ms: number): Date => new Date(Date.now() + ms)

/** Takes every deadline for this one. */
export const deadlineOf = (
  change: (expires: number | null, maxAge: number | null, id: string) => number | Date | null,
): Mutant =>
  saving((session, id) => {
    const { expires, originalMaxAge } = session.cookie
    const changed = change(expires ? +new Date(expires) : null, originalMaxAge, id)
    const cookie = { ...session.cookie, expires: changed === null ? null : new Date(changed) }
    return { ...session, cookie: changed === null ? { ...cookie, originalMaxAge: null } : cookie }
  })

/** Its sessions end by the `ttl` alone. */
export const knowsNoDeadline: Mutant = deadlineOf(() => null)

/** Fails to save such sessions. */
export const refuses =
  (when: (session: SessionData, id: string) => boolean): Mutant =>
  (store) => ({
    set(id, session, callback) {
      if (when(session, id)) answer(callback, new Error('cannot be saved'))
      else store.set(id, session, callback as Callback)
    },
  })

/** Calls back, and saves nothing, where it says so. */
export const ignoresSaves =
  (when: (session: SessionData) => boolean): Mutant =>
  (store) => ({
    set(id, session, callback) {
      if (when(session)) answer(callback)
      else store.set(id, session, callback as Callback)
    },
  })

/** Calls back, and extends nothing, where it says so. */
export const ignoresTouches =
  (when: (session: SessionData) => boolean = () => true): Mutant =>
  (store) => ({
    touch(id, session, callback) {
      if (when(session)) answer(callback)
      else store.touch(id, session, callback as Callback)
    },
  })

/** Knows no difference between a touch and a save. */
export const savesTouches: Mutant = (store) => ({
  touch: (id, session, callback) =>
    void store.set(id, JSON.parse(JSON.stringify(session)), callback as Callback),
})

/** Takes what it read once for what is there. */
export const cachesReads: Mutant = (store) => {
  const read = new Map<string, string>()
  return {
    get(id, callback) {
      const known = read.get(id)
      if (known) return answer(callback, null, JSON.parse(known))
      store.get(id, (error, found) => {
        if (found) read.set(id, JSON.stringify(found))
        callback(error, found)
      })
    },
  }
}

/** Fails a call of this method while another one is not answered. */
export const oneAtATime =
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

/** Fails where there is no such session. */
export const missesAreErrors =
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

/** A store as most are: what comes last is what is there. All that are made share their sessions. */
export const crude = (change: (rows: Map<string, string>) => ReturnType<Mutant> = () => ({})): Mutant => {
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

/** Such a store that shares its sessions with no other. */
export const alone: Mutant = (store) => crude()(store)

/** Tells of all that was ever saved through it. */
export const remembers: Mutant = (store) => {
  const saved = new Map<string, SessionData>()
  return {
    set(id, session, callback) {
      saved.set(id, JSON.parse(JSON.stringify(session)))
      store.set(id, session, callback as Callback)
    },
    all: (callback) => answer(callback, null, Object.fromEntries(saved)),
    length: (callback) => answer(callback, null, saved.size),
  }
}
