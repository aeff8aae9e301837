import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { crude } from './broken.ts'
import { type Callback, saving } from './shared.ts'

/** What is stored as text is changed on its way. */
const text = (change: (json: string) => string): Mutant =>
  saving((session) => {
    const { cookie, ...data } = session
    return { cookie, ...JSON.parse(change(JSON.stringify(data))) }
  })

/** Without the keys that match. */
const without = (keys: RegExp): Mutant =>
  saving((session) => Object.fromEntries(Object.entries(session).filter(([key]) => !keys.test(key))))

/** Keeps what it is given, and gives what it keeps. */
const shared: Mutant = (store) => {
  const kept = new Map<string, SessionData>()
  return {
    set(id, session, callback) {
      kept.set(id, session)
      store.set(id, session, callback as Callback)
    },
    get: (id, callback) => void process.nextTick(callback, null, kept.get(id) ?? null),
  }
}

const reading =
  (change: (session: SessionData) => object): Mutant =>
  (store) => ({
    get: (id, callback) =>
      void store.get(id, (error, found) => callback(error, found && (change(found) as SessionData))),
  })

export const data: Readonly<Record<string, Mutant>> = {
  'data/is-kept': text((json) => json.replaceAll('null', '""')),
  'data/text-of-every-script': text((json) => json.normalize('NFC').replaceAll(/[^\0-\xff]/gu, '?')),
  'data/numbers': text((json) => json.replaceAll('9007199254740991', '9007199254740992')),
  'data/odd-keys': without(/[.$]/),
  'data/keys-that-stores-use': without(/^(expires|lastModified)$/),
  'data/json-in-json': saving((session) =>
    Object.fromEntries(
      Object.entries(session).map(([key, value]) => [key, key === 'digits' ? Number(value) : value]),
    ),
  ),
  'data/nothing-but-a-cookie': (store) => ({
    set: (id, session, callback) =>
      void (Object.keys(JSON.parse(JSON.stringify(session))).length > 1
        ? store.set(id, session, callback as Callback)
        : process.nextTick(callback as Callback)),
  }),
  'data/a-mebibyte': text((json) => json.replaceAll(/x{70000,}/g, 'x')),
  'data/ten-thousand-keys': text((json) => json.replace(/,"key-9999":9999/, '')),
  'data/nul': text((json) => json.replaceAll('\\u0000', '')),
  'data/lone-surrogates': text((json) => json.replaceAll(/\\ud[89ab]../g, '\ufffd')),
  'data/nested-deeply': text((json) => json.replaceAll('"bottom":"here"', '"cut":"off"')),
  'data/no-session-is-refused': crude(),
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
  'data/replaced-as-a-whole': (store) => ({
    set: (id, session, callback) =>
      void store.get(id, (_, before) =>
        store.set(id, { ...before, ...JSON.parse(JSON.stringify(session)) }, callback as Callback),
      ),
  }),
  'copies/reads-are-apart': shared,
  'copies/reads-at-once-are-apart': (store) => {
    const open = new Map<string, ((error: unknown, found?: SessionData | null) => void)[]>()
    return {
      get(id, callback) {
        const waiting = open.get(id)
        if (waiting) return void waiting.push(callback)
        const callbacks = [callback]
        open.set(id, callbacks)
        store.get(id, (error, found) => {
          open.delete(id)
          for (const one of callbacks) one(error, found)
        })
      },
    }
  },
  'copies/saved-is-a-copy': shared,
  'copies/saved-as-it-was-called': (store) => ({
    set: (id, session, callback) =>
      void setImmediate(() => store.set(id, JSON.parse(JSON.stringify(session)), callback as Callback)),
  }),
  'copies/given-is-left-alone': (store) => ({
    set(id, session, callback) {
      Object.assign(session, { lastModified: 1 })
      store.set(id, session, callback as Callback)
    },
  }),
  'copies/nothing-is-added': reading((session) => ({ ...session, lastModified: 1 })),
  'data/order-of-keys': reading(({ cookie, ...rest }) => ({
    cookie,
    ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))),
  })),
  'data/cookie-is-kept': saving(({ cookie, ...rest }) => ({
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
