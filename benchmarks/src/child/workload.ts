import { setTimeout as sleep } from 'node:timers/promises'
import type session from 'express-session'
import { shuffle } from '../plan/shuffle.ts'
import type { Subject } from '../subjects/subject.ts'
import { createSession, each, fill, idOf, type Session } from './sessions.ts'

/**
 * The maximum number of session objects for operations that write, and of sessions in the request
 * mix.
 */
const POOL = 4096
/** The number of sessions that are read and dropped first. */
const SHORT_LIVED = 4000
/** The number of lookups in a store that an earlier job filled. */
const SOME = 10_000
const EXPIRED = 500

/** Milliseconds. Some databases remove a session up to a second after its deadline. */
const EXPIRED_AFTER = { maxAge: 300, wait: 1500 }

/** A filled store, as the operations use it. */
export interface Workload {
  store: session.Store
  payload: number
  /** The ids in random order. */
  ids: readonly string[]
  /** The session objects of the first `pool.length` ids, as express-session would hold them. */
  pool: readonly Session[]
  /** Ids of sessions that no other operation writes to. */
  own: readonly string[]
  /** See `Subject`. */
  makeVerify?: Subject['makeVerify']
  /** Resolves with the ids of expired sessions after they have expired. */
  expired: Promise<string[]>
}

/**
 * Fills the store and keeps the session objects of some sessions. Many short-lived objects come
 * first: otherwise the engine would expect all sessions to live long, allocate them as old objects,
 * and leave more garbage.
 */
export async function fillWorkload(
  store: session.Store,
  count: number,
  payload: number,
  withExpired: boolean,
): Promise<Workload> {
  const expired = withExpired ? storeExpired(store, payload) : Promise.resolve([])
  const ids = shuffle(idsOf(count))
  await fill(store, ids, payload)
  const half = Math.min(POOL, count >> 1)
  const pool: Session[] = []
  await read(store, ids.slice(-SHORT_LIVED), (session, index) => {
    pool[index % 256] = session
  })
  await read(store, ids.slice(0, half), (session, index) => {
    pool[index] = session
  })
  pool.length = half
  return { store, payload, ids, pool, own: ids.slice(half, 2 * half), expired }
}

/**
 * Returns some sessions of a store that an earlier job filled. Each one is read once because a
 * fresh process and its server would otherwise measure the disk.
 */
export async function findWorkload(store: session.Store, count: number, payload: number): Promise<Workload> {
  const some = Array.from({ length: Math.min(count, SOME) }, () => Math.floor(Math.random() * count))
  return findSessions(store, [...new Set(some)].map(nameOf).map(idOf), payload)
}

/** Returns these sessions of a store that another process filled, after each one was read once. */
export async function findSessions(
  store: session.Store,
  ids: readonly string[],
  payload: number,
): Promise<Workload> {
  await read(store, ids, () => {})
  return { store, payload, ids, pool: [], own: [], expired: Promise.resolve([]) }
}

export const idsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => idOf(nameOf(index)))

const nameOf = (index: number): string => `session ${index}`

async function storeExpired(store: session.Store, payload: number): Promise<string[]> {
  const ids = Array.from({ length: EXPIRED }, (_, index) => idOf(`expired ${index}`))
  await fill(store, ids, payload, EXPIRED_AFTER.maxAge)
  await sleep(EXPIRED_AFTER.wait)
  return ids
}

function read(
  store: session.Store,
  ids: readonly string[],
  take: (session: Session, index: number) => void,
): Promise<void> {
  return each(ids, (id, done, index) =>
    store.get(id, (error, data) => {
      if (error || !data) return done(error ?? new Error('a stored session is missing'))
      take(createSession(store, id, data), index)
      done()
    }),
  )
}
