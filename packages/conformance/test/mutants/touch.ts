import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import {
  answer,
  type Callback,
  copy,
  failOnMisses,
  HOUR,
  ignoreTouches,
  limitCalls,
  makeSimple,
  savesTouches,
} from './shared.ts'

/** Touches with another session than the given one. */
const changeTouches =
  (change: (session: SessionData) => SessionData): Mutant =>
  (store) => ({
    touch: (id, session, callback) => void store.touch(id, change(copy(session)), callback as Callback),
  })

export const touches: Readonly<Record<string, Mutant>> = {
  'touch/creates-nothing': savesTouches,
  'touch/of-nobody-is-no-error': failOnMisses('touch'),
  'touch/of-a-destroyed-session-creates-nothing': makeSimple((rows) => ({
    touch(id, session, callback) {
      rows.set(id, JSON.stringify(session))
      answer(callback)
    },
  })),
  'touch/extends': ignoreTouches(),
  'touch/extends-for-every-process': ignoreTouches(),
  'touch/extends-by-the-ttl': ignoreTouches(({ cookie }) => !cookie.expires),
  'touch/without-a-deadline-extends': ignoreTouches(({ cookie }) => !cookie.expires),
  'touch/shortens': (store) => ({
    touch: (id, session, callback) =>
      void store.get(id, (_, found) => {
        const [before, after] = [found, session].map((one) => +new Date(one!.cookie.expires!))
        if (after! < before!) answer(callback)
        else store.touch(id, session, callback as Callback)
      }),
  }),
  'touch/with-a-past-deadline-ends': ignoreTouches(({ cookie }) => +cookie.expires! < Date.now()),
  'touch/agrees-with-set': changeTouches((session) => ({
    ...session,
    cookie: { ...session.cookie, expires: null, originalMaxAge: null },
  })),
  'touch-alone/changes-no-data': savesTouches,
  'touch-alone/leaves-what-another-saved': savesTouches,
  'touch-alone/leaves-a-longer-life': changeTouches((session) => session),
  'touch-alone/leaves-a-shorter-life': changeTouches((session) => session),
  'touch-alone/after-a-save-keeps-the-save': (store) => {
    const read = new Map<string, string>()
    return {
      get: (id, callback) =>
        void store.get(id, (error, found) => {
          read.set(id, JSON.stringify(found))
          callback(error, found)
        }),
      touch: (id, _session, callback) => void store.set(id, JSON.parse(read.get(id)!), callback as Callback),
    }
  },
  'touch-alone/takes-a-session-of-express': (store) => ({
    touch(id, session, callback) {
      if ('req' in session) answer(callback, new TypeError('Converting circular structure to JSON'))
      else store.touch(id, session, callback as Callback)
    },
  }),
  'touch/moves-the-deadline-that-get-tells': (store) => {
    const saved = new Map<string, Date>()
    return {
      set(id, session, callback) {
        saved.set(id, session.cookie.expires as Date)
        store.set(id, session, callback as Callback)
      },
      get: (id, callback) =>
        void store.get(id, (error, found) => {
          if (found) found.cookie.expires = saved.get(id)!
          callback(error, found)
        }),
    }
  },
  'touch/keeps-a-new-max-age': changeTouches((session) => ({
    ...session,
    cookie: { ...session.cookie, originalMaxAge: HOUR },
  })),
  'touch-alone/only-its-own': (store) => {
    const saved = new Set<string>()
    return {
      set(id, session, callback) {
        saved.add(id)
        store.set(id, session, callback as Callback)
      },
      touch(id, session, callback) {
        for (const other of saved) if (other !== id) store.touch(other, session, () => {})
        store.touch(id, session, callback as Callback)
      },
    }
  },
  'touch-alone/many-at-once': limitCalls('touch'),
}
