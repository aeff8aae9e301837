import type { Mutant } from '../support/reference.ts'
import {
  answer,
  type Callback,
  cachesReads,
  changeDeadline,
  changeSaves,
  copy,
  deadlineIn,
  failOnMisses,
  HOUR,
  ignoreSaves,
  ignoresDeadlines,
  type ReadCallback,
  refuseSaves,
  remembersSaves,
  savesTouches,
} from './shared.ts'

const isPast = (expires: unknown): boolean => expires instanceof Date && +expires < Date.now()

/** Chooses a deadline from that of the first save and that of the current one. */
const chooseDeadline = (choose: (first: number, now: number) => number): Mutant => {
  const first = new Map<string, number>()
  return changeDeadline((expires, _, id) => {
    const known = first.get(id) ?? expires!
    first.set(id, known)
    return choose(known, expires!)
  })
}

export const expiry: Readonly<Record<string, Mutant>> = {
  'expiry/ends-with-its-cookie': ignoresDeadlines,
  'expiry/lives-until-its-deadline': changeDeadline((expires) => expires && expires - 500),
  'expiry/gone-at-its-deadline': changeDeadline((expires) => expires && Math.ceil(expires / 1000) * 1000),
  'expiry/short-session-is-there-at-once': changeDeadline(
    (expires) => expires && Math.floor(expires / 1000) * 1000,
  ),
  'expiry/max-age-of-zero-is-gone': changeDeadline((expires, maxAge) => (maxAge ? expires : null)),
  'expiry/past-deadline-is-gone': refuseSaves(({ cookie }) => isPast(cookie.expires)),
  'expiry/past-deadline-ends-a-live-session': ignoreSaves(({ cookie }) => isPast(cookie.expires)),
  'expiry/save-extends': chooseDeadline((first) => first),
  'expiry/save-shortens': chooseDeadline(Math.max),
  'expiry/deadline-of-30-years': changeDeadline((expires) =>
    expires && expires - Date.now() > 2 ** 31 ? deadlineIn(1) : expires,
  ),
  'expiry/deadline-in-the-year-9999': refuseSaves(({ cookie }) => cookie.expires!.getUTCFullYear() > 9000),
  'expiry/max-age-with-a-fraction': refuseSaves(({ cookie }) => !Number.isInteger(cookie.originalMaxAge)),
  'expiry/endless-max-age-is-kept-or-refused': ignoreSaves(({ cookie }) => Number.isNaN(+cookie.expires!)),
  'expiry/invalid-date-is-no-error': refuseSaves(({ cookie }) => Number.isNaN(+(cookie.expires ?? 0))),
  'ttl/lasts-without-a-deadline': changeDeadline((expires) => expires ?? deadlineIn(500)),
  'ttl/ends-without-a-deadline': changeDeadline((expires) => expires ?? deadlineIn(HOUR)),
  'ttl/short-cookie-beats-it': ignoresDeadlines,
  'ttl/long-cookie-beats-it': ignoresDeadlines,
  'expiry/what-was-read-keeps-its-deadline': (store) => ({
    set(id, session, callback) {
      const cookie = copy(session.cookie)
      // Only the cookies of express-session have `maxAge`; a session as `get` returns it has none.
      if (session.cookie.maxAge === undefined) Object.assign(cookie, { expires: null, originalMaxAge: null })
      store.set(id, { ...session, cookie }, callback as Callback)
    },
  }),
  'expiry/reading-does-not-extend': (store) => ({
    get: (id, callback) =>
      void store.get(id, (error, found) => {
        if (!found) return callback(error, found)
        const cookie = { ...found.cookie, expires: deadlineIn(HOUR) }
        store.touch(id, { ...found, cookie } as never, () => (callback as ReadCallback)(null, found))
      }),
  }),
}

export const ended: Readonly<Record<string, Mutant>> = {
  'ended/is-no-error': failOnMisses('get'),
  'ended/can-be-destroyed': failOnMisses('destroy'),
  'ended/id-begins-anew': (store) => {
    const saved = new Map<string, object>()
    return changeSaves((session, id) => {
      const merged = { ...saved.get(id), ...session }
      saved.set(id, merged)
      return merged
    })(store)
  },
  'ended/ends-only-its-own': (store) => {
    let first: number | null = null
    return changeDeadline((expires) => {
      first ??= expires
      return first
    })(store)
  },
  'ended/ends-in-every-process': cachesReads,
  'ended/is-not-in-all': remembersSaves,
  'ended/is-not-counted': remembersSaves,
  'ended/touch-does-not-revive': savesTouches,
  'ended/late-save-does-not-revive': (store) => ({
    set: (id, session, callback) => void store.set(id, copy(session), (error) => answer(callback, error)),
  }),
}
