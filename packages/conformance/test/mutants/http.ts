import type { Mutant } from '../support/reference.ts'
import {
  answer,
  type Callback,
  cachesReads,
  changeCookie,
  copy,
  failOnMisses,
  hangsOnReadErrors,
  hidesReadErrors,
  ignoreTouches,
  keepsDestroyed,
  makeSimple,
  mergesSaves,
  overwrites,
} from './shared.ts'

/** Reads what this store saved, and asks the database only for other sessions. */
const readsOwnSaves: Mutant = (store) => {
  const saved = new Map<string, string>()
  return {
    set(id, session, callback) {
      saved.set(id, JSON.stringify(session))
      store.set(id, session, callback as Callback)
    },
    get(id, callback) {
      const found = saved.get(id)
      if (found) answer(callback, null, JSON.parse(found))
      else store.get(id, callback)
    },
  }
}

export const http: Readonly<Record<string, Mutant>> = {
  'http/keeps-the-session': mergesSaves,
  'http/in-every-process': readsOwnSaves,
  'http/a-lost-session-is-a-new-visit': failOnMisses('get'),
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
  'cookie/idle-session-ends': changeCookie(() => ({ expires: null, originalMaxAge: null })),
  'cookie/busy-session-goes-on': ignoreTouches(),
  'cookie/settings-survive': changeCookie(() => ({ sameSite: undefined })),
  'cookie/max-age-runs-down': changeCookie(({ originalMaxAge }) => ({
    originalMaxAge: (originalMaxAge ?? 0) / 2,
  })),
  'cookie/remember-me-lasts': (store) => ({
    touch: (id, session, callback) =>
      void store.get(id, (_, found) => {
        const expires = new Date(session.cookie.expires as Date)
        const cookie = { ...copy(found!.cookie), expires }
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
  'http/requests-at-once-lose-nothing': overwrites,
  'http/a-slow-request-does-not-undo-a-logout': makeSimple(),
  'http/an-outage-is-an-error': hidesReadErrors,
  'http/a-broken-session-is-no-new-visit': hangsOnReadErrors,
}
