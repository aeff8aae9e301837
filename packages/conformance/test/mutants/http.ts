import type { Mutant } from '../support/reference.ts'
import { cachesReads, crude, ignoresTouches, missesAreErrors } from './broken.ts'
import { type Callback, cookieOf, keepsDestroyed, saving } from './shared.ts'

/** Reads come from what this process saved, and not from the database. */
const cached: Mutant = (store) => {
  const saved = new Map<string, string>()
  return {
    set(id, session, callback) {
      saved.set(id, JSON.stringify(session))
      store.set(id, session, callback as Callback)
    },
    get(id, callback) {
      const found = saved.get(id)
      if (found) process.nextTick(callback, null, JSON.parse(found))
      else store.get(id, callback)
    },
  }
}

/** Saves whatever was there before. */
const upserts: Mutant = saving((session) => session)

/** Leaves calls unanswered whenever the right store fails. */
const hangs: Mutant = (store) => ({
  get: (id, callback) => void store.get(id, (error, found) => error || callback(null, found)),
})

export const http: Readonly<Record<string, Mutant>> = {
  'http/keeps-the-session': (store) => ({
    // A two-way merge: what was deleted comes back.
    set: (id, session, callback) =>
      void store.get(id, (_, before) =>
        store.set(id, { ...before, ...JSON.parse(JSON.stringify(session)) }, callback as Callback),
      ),
  }),
  'http/in-every-process': cached,
  'http/a-lost-session-is-a-new-visit': missesAreErrors('get'),
  'http/destroy-logs-out': keepsDestroyed,
  'http/unset-destroys': keepsDestroyed,
  'http/regenerate-changes-the-id': keepsDestroyed,
  'http/save-then-redirect': (store) => ({
    set(id, session, callback) {
      callback?.()
      setTimeout(() => store.set(id, session, () => {}), 30)
    },
  }),
  'http/reload-reads-what-others-saved': cachesReads,
  'cookie/idle-session-ends': cookieOf(() => ({ expires: null, originalMaxAge: null })),
  'cookie/busy-session-goes-on': ignoresTouches(),
  'cookie/settings-survive': cookieOf(() => ({ sameSite: undefined })),
  'cookie/max-age-runs-down': cookieOf(({ originalMaxAge }) => ({
    originalMaxAge: (originalMaxAge ?? 0) / 2,
  })),
  'cookie/remember-me-lasts': (store) => ({
    touch: (id, session, callback) =>
      void store.get(id, (_, found) => {
        const expires = new Date(session.cookie.expires as Date)
        const cookie = { ...JSON.parse(JSON.stringify(found!.cookie)), expires }
        store.touch(id, { ...found, cookie } as never, callback as Callback)
      }),
  }),
  'cookie/without-a-deadline-is-kept': (store) => ({
    get: (id, callback) =>
      void store.get(id, (error, found) =>
        callback(error, found?.cookie.originalMaxAge == null ? null : found),
      ),
  }),
  'http/every-request-of-a-burst-is-answered': (store) => {
    let saves = 0
    return {
      set(id, session, callback) {
        if (++saves % 20 !== 0) store.set(id, session, callback as Callback)
      },
    }
  },
  'http/requests-at-once-lose-nothing': upserts,
  'http/a-slow-request-does-not-undo-a-logout': crude(),
  'http/an-outage-is-an-error': (store) => ({
    get: (id, callback) => void store.get(id, (_, found) => callback(null, found)),
  }),
  'http/a-broken-session-is-no-new-visit': hangs,
}
