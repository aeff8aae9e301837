import { setTimeout as sleep } from 'node:timers/promises'
import type session from 'express-session'
import { shuffled } from '../plan/shuffle.ts'
import { createSession, each, fill, idOf, type Session } from './sessions.ts'

/** How many Session objects are kept for the operations that write; and how many take part in the request mix. */
const POOL = 4096
/** How many are read and dropped before. */
const SHORT_LIVED = 4000
/** How many of a store that is filled already are looked up. */
const SOME = 10_000
const EXPIRED = 500

/** Some databases forget a session up to a second after its deadline. Milliseconds. */
const EXPIRED_AFTER = { maxAge: 300, wait: 1500 }

/** A store full of sessions, as an operation uses it. */
export interface Workload {
  store: session.Store
  payload: number
  /** In random order. */
  ids: readonly string[]
  /** The Session objects of the first `pool.length` ids, as express-session would hold them. */
  pool: readonly Session[]
  /** Ids of sessions that nothing else writes to. */
  own: readonly string[]
  /** Ids of sessions that have expired, when they have. */
  expired: Promise<string[]>
}

/**
 * Fills the store and takes Session objects of some. Only after many short-lived ones: an engine that saw the first
 * sessions live long would expect it of all, allocate them as old, and leave more garbage.
 */
export async function fillWorkload(
  store: session.Store,
  count: number,
  payload: number,
  withExpired: boolean,
): Promise<Workload> {
  const expired = withExpired ? storeExpired(store, payload) : Promise.resolve([])
  const ids = shuffled(idsOf(count))
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
 * Of a store that an earlier job filled, for reading: some of its ids. Each is read once: what a fresh process and its
 * server fetch for the first time tells of the disk, and of nothing that lasts.
 */
export async function findWorkload(store: session.Store, count: number, payload: number): Promise<Workload> {
  const some = Array.from({ length: Math.min(count, SOME) }, () => Math.floor(Math.random() * count))
  const ids = [...new Set(some)].map(nameOf).map(idOf)
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
