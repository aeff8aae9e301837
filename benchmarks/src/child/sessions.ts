import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type session from 'express-session'
import type { SessionData } from 'express-session'
import { WrongAnswer } from './tally.ts'

declare module 'express-session' {
  interface SessionData {
    /** The session's own id, which shows whether the right session came back. */
    marker: string
    /** Derived from the id. */
    user: string
    /** How often the session was saved. */
    visits: number
    /** What Passport, flash messages and a protection against CSRF leave in a session. */
    passport?: { user: { id: string; name: string; email: string; roles: string[] } }
    flash?: Record<string, string[]>
    csrfSecret?: string
    returnTo?: string
    cart: Item[]
    note: string
  }
}

export type Session = session.Session & SessionData

/** One day in milliseconds. So nothing expires during a run. */
export const MAX_AGE = 86_400_000

interface Item {
  sku: string
  title: string
  quantity: number
  price: { amount: number; currency: string }
  options: { size: string; colour: string }
}

/** Returns an item of a cart. All items have the same size as JSON. */
const itemOf = (index: number): Item => ({
  sku: `ab12-${1000 + (index % 9000)}`,
  title: `Article ${1000 + (index % 9000)}`,
  quantity: 1 + (index % 9),
  price: { amount: 1000 + ((index * 37) % 9000), currency: 'EUR' },
  options: { size: 'M', colour: 'green' },
})
const ITEM_SIZE = JSON.stringify(itemOf(0)).length + 1

/** Sessions of at least this size in bytes have the structure of an application's session. */
const STRUCTURED = 600

/** Returns the id of the session with this name. It is the same in every process. */
export function idOf(name: string): string {
  return createHash('sha256').update(name).digest('base64url').slice(0, 32)
}

/** Returns the user of the session with this id. */
export const userOf = (id: string): string => `user-${id.slice(0, 8)}`

/**
 * Creates a session of `payload` bytes of JSON, or of the minimum size, that lives for `maxAge` ms.
 */
export function sessionOf(
  store: session.Store,
  id: string,
  payload: number,
  maxAge: number = MAX_AGE,
): Session {
  const cookie = {
    originalMaxAge: maxAge,
    expires: new Date(Date.now() + maxAge),
    httpOnly: true,
    path: '/',
  }
  return createSession(store, id, { ...contentsOf(id, payload), cookie })
}

/** Returns the data that an application puts into the session. */
export function contentsOf(id: string, payload: number): Omit<SessionData, 'cookie'> {
  const contents = {
    ...{ marker: id, user: userOf(id), visits: 0 },
    ...(payload >= STRUCTURED && structureOf(id)),
    ...{ cart: [] as Item[], note: '' },
  }
  const room = payload - COOKIE_SIZE - JSON.stringify(contents).length
  if (room > 0) {
    const items = payload < STRUCTURED ? 0 : Math.floor((room + 1) / ITEM_SIZE)
    contents.cart = Array.from({ length: items }, (_, index) => itemOf(index))
    // Items are separated by one comma less than there are items.
    contents.note = '.'.repeat(room - items * ITEM_SIZE + (items > 0 ? 1 : 0))
  }
  return contents
}

function structureOf(id: string): Partial<SessionData> {
  const name = userOf(id)
  return {
    passport: {
      user: { id: name, name: 'Ada Lovelace', email: `${name}@example.com`, roles: ['customer', 'editor'] },
    },
    flash: { success: ['Your address was saved.'], info: ['Your parcel is on its way.'] },
    csrfSecret: id.slice(0, 24),
    returnTo: '/account/orders?page=2',
  }
}

/** The size of `"cookie":{…},` as express-session stores it. */
const COOKIE_SIZE = 101

/** Creates a request's session object from stored data, as express-session does. */
export function createSession(store: session.Store, id: string, data: SessionData): Session {
  return store.createSession({ sessionID: id, sessionStore: store } as unknown as Request, data) as Session
}

/** Returns an error unless this is the expected session of the expected user. */
export function checkSession(id: string, data: SessionData | null | undefined): WrongAnswer | undefined {
  if (!data) return new WrongAnswer('no session came back')
  if (data.marker !== id) return new WrongAnswer('another session came back')
  if (data.user !== userOf(id)) return new WrongAnswer("another user's session came back")
  return undefined
}

/** Stores sessions with these ids. */
export function fill(
  store: session.Store,
  ids: readonly string[],
  payload: number,
  maxAge?: number,
): Promise<void> {
  return each(ids, (id, done) => store.set(id, sessionOf(store, id, payload, maxAge), done))
}

/** Calls `work` for all items, 256 at a time. */
export async function each<T>(
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
