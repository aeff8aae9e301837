import type { Mutant } from '../support/reference.ts'
import {
  answer,
  cachesReads,
  deadlineIn,
  deadlineOf,
  type Found,
  HOUR,
  ignoresSaves,
  knowsNoDeadline,
  missesAreErrors,
  refuses,
  remembers,
  savesTouches,
} from './broken.ts'
import { type Callback, saving } from './shared.ts'

const isPast = (expires: unknown): boolean => expires instanceof Date && +expires < Date.now()

/** The deadline of a session is that of its first save, or the later of the two. */
const remembersDeadlines = (choose: (first: number, now: number) => number): Mutant => {
  const first = new Map<string, number>()
  return deadlineOf((expires, _, id) => {
    const known = first.get(id) ?? expires!
    first.set(id, known)
    return choose(known, expires!)
  })
}

export const expiry: Readonly<Record<string, Mutant>> = {
  'expiry/ends-with-its-cookie': knowsNoDeadline,
  'expiry/lives-until-its-deadline': deadlineOf((expires) => expires && expires - 500),
  'expiry/gone-at-its-deadline': deadlineOf((expires) => expires && Math.ceil(expires / 1000) * 1000),
  'expiry/short-session-is-there-at-once': deadlineOf(
    (expires) => expires && Math.floor(expires / 1000) * 1000,
  ),
  'expiry/max-age-of-zero-is-gone': deadlineOf((expires, maxAge) => (maxAge ? expires : null)),
  'expiry/past-deadline-is-gone': refuses(({ cookie }) => isPast(cookie.expires)),
  'expiry/past-deadline-ends-a-live-session': ignoresSaves(({ cookie }) => isPast(cookie.expires)),
  'expiry/save-extends': remembersDeadlines((first) => first),
  'expiry/save-shortens': remembersDeadlines(Math.max),
  'expiry/deadline-of-30-years': deadlineOf((expires) =>
    expires && expires - Date.now() > 2 ** 31 ? deadlineIn(1) : expires,
  ),
  'expiry/deadline-in-the-year-9999': refuses(({ cookie }) => cookie.expires!.getUTCFullYear() > 9000),
  'expiry/max-age-with-a-fraction': refuses(({ cookie }) => !Number.isInteger(cookie.originalMaxAge)),
  'expiry/endless-max-age-is-kept-or-refused': ignoresSaves(({ cookie }) => Number.isNaN(+cookie.expires!)),
  'expiry/invalid-date-is-no-error': refuses(({ cookie }) => Number.isNaN(+(cookie.expires ?? 0))),
  'ttl/lasts-without-a-deadline': deadlineOf((expires) => expires ?? deadlineIn(500)),
  'ttl/ends-without-a-deadline': deadlineOf((expires) => expires ?? deadlineIn(HOUR)),
  'ttl/short-cookie-beats-it': knowsNoDeadline,
  'ttl/long-cookie-beats-it': knowsNoDeadline,
  'expiry/what-was-read-keeps-its-deadline': (store) => ({
    set(id, session, callback) {
      const cookie = { ...JSON.parse(JSON.stringify(session.cookie)) }
      // Only the cookies of express-session have it.
      if (session.cookie.maxAge === undefined) Object.assign(cookie, { expires: null, originalMaxAge: null })
      store.set(id, { ...session, cookie }, callback as Callback)
    },
  }),
  'expiry/reading-does-not-extend': (store) => ({
    get: (id, callback) =>
      void store.get(id, (error, found) => {
        if (!found) return callback(error, found)
        const cookie = { ...found.cookie, expires: deadlineIn(HOUR) }
        store.touch(id, { ...found, cookie } as never, () => (callback as Found)(null, found))
      }),
  }),
}

export const ended: Readonly<Record<string, Mutant>> = {
  'ended/is-no-error': missesAreErrors('get'),
  'ended/can-be-destroyed': missesAreErrors('destroy'),
  'ended/id-begins-anew': (store) => {
    const saved = new Map<string, object>()
    return saving((session, id) => {
      const merged = { ...saved.get(id), ...session }
      saved.set(id, merged)
      return merged
    })(store)
  },
  'ended/ends-only-its-own': (store) => {
    let first: number | null = null
    return deadlineOf((expires) => {
      first ??= expires
      return first
    })(store)
  },
  'ended/ends-in-every-process': cachesReads,
  'ended/is-not-in-all': remembers,
  'ended/is-not-counted': remembers,
  'ended/touch-does-not-revive': savesTouches,
  'ended/late-save-does-not-revive': (store) => ({
    set: (id, session, callback) =>
      void store.set(id, JSON.parse(JSON.stringify(session)), (error) => answer(callback, error)),
  }),
}
