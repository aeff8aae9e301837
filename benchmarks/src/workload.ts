import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type session from 'express-session'
import type { SessionData } from 'express-session'

declare module 'express-session' {
  interface SessionData {
    /** The session's own id, to tell that the right one came back. */
    marker: string
    visits: number
  }
}

/** An hour, in milliseconds: nothing expires while it is measured. */
export const MAX_AGE = 3_600_000

/** How many Session objects are kept for the scenarios that write. */
const POOL = 4096
/** How many are read and dropped before. */
const SHORT_LIVED = 10_000

/** A store full of sessions, as a scenario uses it. */
export interface Workload {
  store: session.Store
  /** In random order. */
  ids: readonly string[]
  /** The Session objects of the first `pool.length` ids, as express-session would hold them. */
  pool: readonly (session.Session & SessionData)[]
}

/** What an application puts into a session: with the cookie, about 500 bytes of JSON. */
export function contents(id: string): Omit<SessionData, 'cookie'> {
  const digest = createHash('sha512').update(id).digest('base64')
  return {
    marker: id,
    visits: 0,
    user: { id: digest.slice(0, 12), name: 'Ada Lovelace', roles: ['reader', 'author'], locale: 'en-GB' },
    csrf: digest.slice(12, 44),
    returnTo: '/articles/analytical-engine?page=2',
    cart: [
      { sku: digest.slice(44, 52), quantity: 1, price: 1995 },
      { sku: digest.slice(52, 60), quantity: 3, price: 450 },
    ],
    flash: [],
  } as Omit<SessionData, 'cookie'>
}

/** As express-session makes a request's session of what the store gave, or of nothing. */
export function createSession(
  store: session.Store,
  id: string,
  data: SessionData,
): session.Session & SessionData {
  return store.createSession({ sessionID: id, sessionStore: store } as unknown as Request, data)
}

/** Stores `count` sessions. */
export async function fill(store: session.Store, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) =>
    createHash('sha256').update(`session ${index}`).digest('base64url').slice(0, 32),
  )
  await each(ids, (id, done) => {
    const cookie = {
      originalMaxAge: MAX_AGE,
      expires: new Date(Date.now() + MAX_AGE),
      httpOnly: true,
      path: '/',
    }
    store.set(id, createSession(store, id, { ...contents(id), cookie }), done)
  })
  return ids
}

/**
 * Stores `count` sessions, and takes Session objects of some. Only after many short-lived ones: an engine that
 * saw the first sessions live long would expect it of all, allocate them as old, and leave more garbage.
 */
export async function prepare(store: session.Store, count: number): Promise<Workload> {
  const ids = shuffled(await fill(store, count))
  const pool: (session.Session & SessionData)[] = []
  const read = (id: string, done: (error?: unknown) => void, index: number): void =>
    store.get(id, (error, data) => {
      if (error || !data) return done(error ?? new Error('a stored session is missing'))
      pool[index] = createSession(store, id, data)
      done()
    })
  await each(ids.slice(-SHORT_LIVED), (id, done, index) => read(id, done, index % 256))
  await each(ids.slice(0, POOL), read)
  return { store, ids, pool }
}

/** Reads some sessions of the pool: they must hold what was saved last. */
export async function verify({ store, ids, pool }: Workload): Promise<void> {
  const some = Array.from({ length: 64 }, (_, index) => index * Math.floor(pool.length / 64))
  await each(some, (index, done) =>
    store.get(ids[index]!, (error, data) => {
      const right = data?.marker === ids[index] && data?.visits === pool[index]!.visits
      done(error ?? (right ? null : new Error('the stored session is not the one saved last')))
    }),
  )
}

export function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[result[last], result[other]] = [result[other]!, result[last]!]
  }
  return result
}

/** Does the work for all, 256 at a time. */
async function each<T>(
  items: readonly T[],
  work: (item: T, done: (error?: unknown) => void, index: number) => void,
): Promise<void> {
  for (let start = 0; start < items.length; start += 256) {
    const started = items.slice(start, start + 256).map(
      (item, offset) =>
        new Promise<void>((resolve, reject) => {
          work(item, (error) => (error ? reject(error) : resolve()), start + offset)
        }),
    )
    await Promise.all(started)
  }
}
