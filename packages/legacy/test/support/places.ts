/// <reference path="./untyped.d.ts" />
import type { LegacyOptions, LegacyReader, SessionStore, StoreOptions } from '@session-stores/core'
import type { DatabaseId } from '@session-stores/testbed/databases'
import session from 'express-session'

declare module 'express-session' {
  interface SessionData {
    user?: string
    more?: unknown
  }
}

/** Where the sessions of one test are, so that another process can open them, too. */
export interface Place {
  format: FormatId
  /** A URL, or the path of a SQLite file. */
  url: string
  /** Keeps the sessions of tests apart that share a server. */
  namespace: string
}

/** A store of the real package, as an application had it, and a reader of its rows. */
export interface Old {
  store: session.Store
  reader: LegacyReader
  /** Puts this text, and nothing else, in the place of the session. */
  corrupt(id: string, text: string): Promise<unknown>
  /** Returns when the row ends, where its package counts from the moment at which the database writes. */
  endOf?(id: string): Promise<number>
  close(): Promise<unknown>
}

/** One format: how its old store and the new store beside it are opened. */
export interface Format {
  open(place: Place): Promise<Old> | Old
  openNew(place: Place, options: StoreOptions): SessionStore
}

export type FormatId =
  | 'connect-redis-7'
  | 'connect-redis-10'
  | 'connect-mongo-4'
  | 'connect-mongo-6'
  | 'connect-mongo-6-documents'
  | 'connect-mongo-4-kruptein'
  | 'connect-mongo-6-webcrypto'
  | 'connect-pg-simple-8'
  | 'connect-pg-simple-10'
  | 'better-sqlite3-session-store'

/**
 * The formats that move in, by their databases, each written by the oldest and the newest version of
 * its package.
 */
export const formats: Readonly<Record<FormatId, DatabaseId>> = {
  'connect-redis-7': 'redis',
  'connect-redis-10': 'redis',
  'connect-mongo-4': 'mongodb',
  'connect-mongo-6': 'mongodb',
  'connect-mongo-6-documents': 'mongodb',
  'connect-mongo-4-kruptein': 'mongodb',
  'connect-mongo-6-webcrypto': 'mongodb',
  'connect-pg-simple-8': 'postgres',
  'connect-pg-simple-10': 'postgres',
  'better-sqlite3-session-store': 'sqlite',
}

export const formatIds: readonly FormatId[] = Object.keys(formats) as FormatId[]

/** The other formats share their readers with one of these. */
export const newest: readonly FormatId[] = [
  'connect-redis-10',
  'connect-mongo-6',
  'connect-pg-simple-10',
  'better-sqlite3-session-store',
]

/** A process loads only the clients of its own database. */
const modules: Readonly<Record<DatabaseId, () => Promise<{ default: Readonly<Record<string, Format>> }>>> = {
  redis: () => import('./formats/redis.ts'),
  mongodb: () => import('./formats/mongodb.ts'),
  postgres: () => import('./formats/postgres.ts'),
  sqlite: () => import('./formats/sqlite.ts'),
}

const load = async (format: FormatId): Promise<Format> => (await modules[formats[format]]()).default[format]!

/** Opens the store that an application had at this place. */
export const openOld = async (place: Place): Promise<Old> => (await load(place.format)).open(place)

/** Opens the store that the application has now, in the same database. */
export async function openNew(place: Place, options: StoreOptions = {}): Promise<SessionStore> {
  const user = (found: { user?: string }) => found.user
  return (await load(place.format)).openNew(place, { pruneInterval: false, user, ...options })
}

/** A time that no test reaches. */
export const later = (): Date => new Date(Date.now() + 30 * 86_400_000)

/** Returns the option `legacy` for a store that takes over from `old`. */
export const takeOver = ({ reader }: Old, others: Partial<LegacyOptions> = {}): StoreOptions => ({
  legacy: { from: reader, until: later(), ...others },
})

/** Makes a session as express-session gives it to a store. */
export function makeSession(life: number | null, data: object = {}): session.SessionData {
  const Cookie = session.Cookie as unknown as new (options: object) => session.SessionData['cookie']
  return Object.assign({ cookie: new Cookie(life === null ? {} : { maxAge: life }) }, data)
}

/** Calls a method of a store that takes a callback. */
export const call = <T>(start: (callback: (error: unknown, value?: T) => void) => unknown): Promise<T> =>
  new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)))
  })

/** Saves a session with the old store. */
export const saveOld = ({ store }: Old, id: string, data: session.SessionData): Promise<void> =>
  call((done) => store.set(id, data, done))

/** Reads a session with the old store. */
export const readOld = async ({ store }: Old, id: string): Promise<session.SessionData | null> =>
  (await call<session.SessionData | null | undefined>((done) => store.get(id, done))) ?? null
