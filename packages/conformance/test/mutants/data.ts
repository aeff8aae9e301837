import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { answer, type Callback, changeSaves, copy, makeSimple, mergesSaves, shareReads } from './shared.ts'

/** Changes the JSON of what a session holds besides its cookie. */
const changeJson = (change: (json: string) => string): Mutant =>
  changeSaves((session) => {
    const { cookie, ...data } = session
    return { cookie, ...JSON.parse(change(JSON.stringify(data))) }
  })

/** Leaves out the keys that match. */
const dropKeys = (keys: RegExp): Mutant =>
  changeSaves((session) => Object.fromEntries(Object.entries(session).filter(([key]) => !keys.test(key))))

/** Returns the object that was saved, without a copy. */
const sharesObjects: Mutant = (store) => {
  const kept = new Map<string, SessionData>()
  return {
    set(id, session, callback) {
      kept.set(id, session)
      store.set(id, session, callback as Callback)
    },
    get: (id, callback) => answer(callback, null, kept.get(id) ?? null),
  }
}

/** Changes the sessions that are read. */
const changeReads =
  (change: (session: SessionData) => object): Mutant =>
  (store) => ({
    get: (id, callback) =>
      void store.get(id, (error, found) => callback(error, found && (change(found) as SessionData))),
  })

export const data: Readonly<Record<string, Mutant>> = {
  'data/is-kept': changeJson((json) => json.replaceAll('null', '""')),
  'data/text-of-every-script': changeJson((json) => json.normalize('NFC').replaceAll(/[^\0-\xff]/gu, '?')),
  'data/numbers': changeJson((json) => json.replaceAll('9007199254740991', '9007199254740992')),
  'data/odd-keys': dropKeys(/[.$]/),
  'data/keys-that-stores-use': dropKeys(/^(expires|lastModified)$/),
  'data/json-in-json': changeSaves((session) =>
    Object.fromEntries(
      Object.entries(session).map(([key, value]) => [key, key === 'digits' ? Number(value) : value]),
    ),
  ),
  'data/nothing-but-a-cookie': (store) => ({
    set: (id, session, callback) =>
      void (Object.keys(copy(session)).length > 1
        ? store.set(id, session, callback as Callback)
        : answer(callback)),
  }),
  'data/a-mebibyte': changeJson((json) => json.replaceAll(/x{70000,}/g, 'x')),
  'data/ten-thousand-keys': changeJson((json) => json.replace(/,"key-9999":9999/, '')),
  'data/nul': changeJson((json) => json.replaceAll('\\u0000', '')),
  'data/lone-surrogates': changeJson((json) => json.replaceAll(/\\ud[89ab]../g, '\ufffd')),
  'data/nested-deeply': changeJson((json) => json.replaceAll('"bottom":"here"', '"cut":"off"')),
  'data/no-session-is-refused': makeSimple(),
  'data/as-json-has-it': (store) => {
    const kept = new Map<string, unknown>()
    return {
      set(id, session, callback) {
        kept.set(id, (session as SessionData & { odd: unknown }).odd)
        store.set(id, session, callback as Callback)
      },
      get: (id, callback) =>
        void store.get(id, (error, found) =>
          callback(error, found && ({ ...found, odd: kept.get(id) } as SessionData)),
        ),
    }
  },
  'data/replaced-as-a-whole': mergesSaves,
  'copies/reads-are-apart': sharesObjects,
  'copies/reads-at-once-are-apart': shareReads((id) => id),
  'copies/saved-is-a-copy': sharesObjects,
  'copies/saved-as-it-was-called': (store) => ({
    set: (id, session, callback) =>
      void setImmediate(() => store.set(id, copy(session), callback as Callback)),
  }),
  'copies/given-is-left-alone': (store) => ({
    set(id, session, callback) {
      Object.assign(session, { lastModified: 1 })
      store.set(id, session, callback as Callback)
    },
  }),
  'copies/nothing-is-added': changeReads((session) => ({ ...session, lastModified: 1 })),
  'data/order-of-keys': changeReads(({ cookie, ...rest }) => ({
    cookie,
    ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))),
  })),
  'data/cookie-is-kept': changeSaves(({ cookie, ...rest }) => ({
    ...rest,
    cookie: { ...cookie, sameSite: undefined },
  })),
  'data/too-large-is-an-error': (store) => ({
    set: (id, session, callback) =>
      void (JSON.stringify(session).length > 16_000_000
        ? store.destroy(id, () => callback?.(new Error('too large')))
        : store.set(id, session, callback as Callback)),
  }),
}
