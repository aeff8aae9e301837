import {
  type Driver,
  type Row,
  SessionStore,
  SessionStoreError,
  type StoreOptions,
} from '@session-stores/core'
import type { SessionData } from 'express-session'

/** Faults that stores have, most of them seen in one that people use: the rule against each must find it. */

type Callback = (error: unknown, value?: unknown) => void
// biome-ignore lint/suspicious/noExplicitAny: faults need not keep to the types
type Any = any
/** What a faulty store does otherwise; `right` is the same store without the fault. */
export type Fault = (right: SessionStore, driver: Driver, options: StoreOptions) => Record<string, unknown>

/** The same session as another object: what the store knows about it is lost. */
const copy = (session: SessionData): SessionData => ({ ...session })

/** Answers one call with what `work` gives. */
async function answer(callback: Callback | undefined, work: () => Promise<unknown>): Promise<unknown> {
  if (!callback) return work()
  work().then(
    (value) => (value === undefined ? callback(null) : callback(null, value)),
    (error) => callback(error),
  )
}

/** A `get` that takes a callback, too. */
const reads = (get: (id: string) => Promise<unknown>): Record<string, unknown> => ({
  get: (id: string, callback?: Callback) => answer(callback, () => get(id)),
})

/** Sends a save again that got no answer, whatever came of it, as an application does that knows no better. */
const sendsAgain: Fault = (right, driver, options) => {
  const forgetful = new SessionStore(driver, { ...options, tombstoneTimeout: 0 })
  return {
    destroy: forgetful.destroy.bind(forgetful),
    revoke: forgetful.revoke.bind(forgetful),
    revokeUser: forgetful.revokeUser.bind(forgetful),
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, async () => {
        const isDone = await right.set(id, session).then(
          () => true,
          () => false,
        )
        if (!isDone || !(await right.get(id))) await forgetful.set(id, copy(session))
      }),
  }
}

/** By the rule that must find it. */
export const faults: Readonly<Record<string, Fault>> = {
  'store/get-calls-back-once-and-later': (right) => ({
    get: (id: string, callback: Callback) =>
      right.get(id, (error, found) => {
        callback(error, found)
        callback(error, found)
      }),
  }),
  'store/set-calls-back-once-and-later': (right) => ({
    set(id: string, session: SessionData, callback?: Callback) {
      callback?.(null)
      return right.set(id, session)
    },
  }),
  'store/destroy-calls-back-once-and-later': (right) => ({
    destroy: (id: string, callback: Callback) =>
      right.destroy(id, (error) => callback(error, error ? undefined : { changes: 1 })),
  }),
  'store/get-that-fails-calls-back-once-and-later': (right) => ({
    get(id: string, callback: Callback) {
      if (typeof id !== 'string') throw new TypeError('no id')
      return right.get(id, callback)
    },
  }),
  'store/clear-without-a-callback-is-a-promise': (right) => ({
    clear: (callback: Callback) => void right.clear(callback ?? (() => {})),
  }),
  'store/destroy-that-nobody-waits-for-may-fail': (right) => ({
    destroy: (id: string, callback?: Callback) => answer(callback, async () => right.destroy(id)),
  }),
  'store/touch-calls-back-in-its-callers-async-context': (right) => {
    let waiting: (() => void)[] = []
    return {
      touch(id: string, session: SessionData, callback: Callback) {
        if (waiting.push(() => right.touch(id, session, callback as never)) > 1) return
        setImmediate(() => {
          for (const call of waiting) call()
          waiting = []
        })
      },
    }
  },
  'store/get-adds-nothing': (right) =>
    reads(async (id) => Object.assign((await right.get(id)) ?? {}, { lastModified: new Date() })),
  'store/two-gets-give-two-objects': (right) => {
    const cache = new Map<string, Promise<unknown>>()
    return reads((id) => cache.get(id) ?? cache.set(id, right.get(id)).get(id)!)
  },
  'store/set-takes-the-session-as-it-is-now': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, async () => {
        await null
        return right.set(id, session)
      }),
  }),
  'store/set-and-touch-leave-the-session-alone': (right) => ({
    set(id: string, session: Any, callback: Any) {
      session.lastAccess = 0
      return right.set(id, session, callback)
    },
  }),
  'store/keys-of-stores-come-back': (right) =>
    reads(async (id) => {
      const found: Any = await right.get(id)
      return found && { ...found, id }
    }),
  'store/a-payload-over-maxPayload-keeps-the-old-one': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, () =>
        right.set(id, session).catch(async (error) => {
          await right.destroy(id)
          throw error
        }),
      ),
  }),
  'store/a-row-with-half-a-session-is-an-error': (right) => reads((id) => right.get(id).catch(() => null)),
  'store/a-BigInt-is-refused': (right) => ({
    set: (id: string, session: SessionData, callback: Any) =>
      right.set(
        id,
        JSON.parse(JSON.stringify(session, (_, value) => (typeof value === 'bigint' ? 0 : value))),
        callback,
      ),
  }),
  'store/every-id-is-a-session-of-its-own': (right) => ({
    ...reads((id) => right.get(id.toLowerCase())),
    set: (id: string, session: SessionData, callback: Any) => right.set(id.toLowerCase(), session, callback),
  }),
  'store/nobody-has-a-huge-id': (right) => ({
    get(id: string, callback: Any) {
      if (id.length <= 256) return right.get(id, callback)
      return answer(callback, () => Promise.reject(new SessionStoreError('INVALID_ID', 'the id is too long')))
    },
  }),
  'store/destroy-of-what-all-and-ids-name-ends-the-session': (right) => ({
    destroy: (id: string, callback?: Callback) =>
      answer(callback, async () => {
        if (await right.get(id)) await right.destroy(id)
      }),
  }),
  'store/a-plain-save-after-the-logout-of-nobody-is-kept': (right, driver) => ({
    destroy: (id: string, callback?: Callback) =>
      answer(callback, async () => {
        const key = right.handle(id)
        const row = { key, data: null, tag: 'over', user: null, createdAt: 1, expiresAt: Date.now() + 60_000 }
        await right.destroy(id)
        await driver.write([row], Date.now())
      }),
  }),
  'store/no-user-is-asked-for-without-the-option-user': (right) => ({
    revokeUser: async (user: string) => (user === '' ? right.revokeUser(user) : 0),
  }),
  'store/sessions-from-before-the-option-user-can-be-assigned': () => ({ assignUsers: async () => 0 }),
  'store/a-numeric-id-is-refused': (right) => reads((id) => right.get(String(id))),
  'store/a-session-that-ends-at-this-moment-is-gone': (right) => ({
    set: (id: string, session: SessionData, callback: Any) =>
      right.set(
        id,
        { ...session, cookie: { ...session.cookie, expires: null, originalMaxAge: null } },
        callback,
      ),
  }),
  'store/no-date-as-text-is-no-deadline': (right) => ({
    set: (id: string, session: SessionData, callback: Any) =>
      right.set(id, { ...session, cookie: { ...session.cookie, expires: null } }, callback),
  }),
  "store/get-tells-the-session's-deadline": (right) =>
    reads(async (id) => {
      const found = await right.get(id)
      return found && { ...found, cookie: { ...found.cookie, expires: null } }
    }),
  'store/absoluteTimeout-ends-a-session-that-is-used': (_right, driver, options) => {
    const { absoluteTimeout, ...rest } = options
    const forgetful = new SessionStore(driver, rest)
    return { get: forgetful.get.bind(forgetful), touch: forgetful.touch.bind(forgetful) }
  },
  'store/touch-of-nobody-does-nothing': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
  'store/touch-changes-no-data': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.set(id, session, callback),
  }),
  'store/touch-extends': (right) => ({
    touch: (_id: string, _session: SessionData, callback?: Callback) =>
      answer(callback, async () => right.ping()),
  }),
  "store/touch-keeps-a-change-of-the-cookie's-sameSite": (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.touch(id, copy(session), callback),
  }),
  'store/a-get-sees-the-sets-before-it': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, () =>
        new Promise(setImmediate).then(() => new Promise(setImmediate)).then(() => right.set(id, session)),
      ),
  }),
  'store/saves-are-merged-by-key': (_right, driver, options) => {
    const overwriting = new SessionStore(driver, { ...options, onConflict: 'overwrite' })
    return { set: overwriting.set.bind(overwriting) }
  },
  'store/a-hundred-requests-lose-nothing': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
  'store/a-merged-session-merges-again': (right) => {
    // The object is taken for what was merged, which it is not.
    const last = new WeakMap<object, Any>()
    return {
      set: (id: string, session: SessionData, callback?: Callback) =>
        answer(callback, async () => {
          const known = last.get(session)
          for (const key of Object.keys(known ?? {})) delete known[key]
          await right.set(id, known ? Object.assign(known, session) : session)
          last.set(session, await right.get(id))
        }),
    }
  },
  'store/a-conflict-may-be-an-error': (_right, driver, options) => {
    const merging = new SessionStore(driver, { ...options, onConflict: 'merge' })
    return { set: merging.set.bind(merging) }
  },
  'store/a-session-that-was-destroyed-is-not-saved': (_right, driver, options) => {
    const forgetful = new SessionStore(driver, { ...options, tombstoneTimeout: 0 })
    return {
      destroy: forgetful.destroy.bind(forgetful),
      set: (id: string, session: SessionData, callback: Any) => forgetful.set(id, copy(session), callback),
    }
  },
  'store/a-plain-save-does-not-undo-a-logout': (_right, driver, options) => {
    const forgetful = new SessionStore(driver, { ...options, tombstoneTimeout: 0 })
    return { destroy: forgetful.destroy.bind(forgetful) }
  },
  'store/destroy-may-come-twice-or-for-nobody': (right) => ({
    destroy: (id: string, callback?: Callback) =>
      answer(callback, async () => {
        if (!(await right.get(id))) throw new Error('nobody is there')
        return right.destroy(id)
      }),
  }),
  'store/list-pages-name-every-session-once': (right) => ({
    list: async (query: object) => ({ ...(await right.list(query)), next: undefined }),
  }),
  "store/revoke-with-a-user-ends-only-that-user's": (right) => ({
    revoke: (handle: string) => right.revoke(handle),
  }),
  'store/revokeUser-keeps-the-one-excepted': (right) => ({
    revokeUser: (user: string) => right.revokeUser(user),
  }),
  'store/a-session-stays-listed-whoever-touches-it': (right, driver, { user, now = Date.now }) => ({
    touch: (id: string, session: SessionData) =>
      answer(undefined, async () => {
        await right.touch(id, session)
        const [row] = await driver.read([right.handle(id)])
        if (row && !user?.(session))
          await driver.write([{ ...row, user: null, tag: 'other', expect: row.tag }], now())
      }),
  }),
  'store/no-user-is-never-everybody': (right) => ({
    list: ({ user, ...query }: { user?: string } = {}) =>
      right.list(user === undefined ? query : { user, ...query }),
  }),
  'store/clear-removes-everything': (right) => ({
    clear: async () => {
      const { sessions } = await right.list({ limit: 500 })
      for (const { handle } of sessions) await right.revoke(handle)
    },
  }),
  'store/close-waits-for-what-is-on-its-way': (right) => {
    let isClosed = false
    return {
      set: (id: string, session: SessionData, callback?: Callback) =>
        answer(callback, async () => {
          await new Promise(setImmediate)
          if (isClosed) throw new Error('closed')
          return right.set(id, session)
        }),
      async close() {
        isClosed = true
      },
    }
  },
  'store/a-closed-store-says-so': () => ({ close: async () => {} }),
  'store/a-dump-without-sealing-gives-no-id-away': (_right, driver, options) => {
    const plain = new SessionStore(driver, { ...options, hashIds: false })
    return { set: plain.set.bind(plain) }
  },
  'store/a-dump-gives-nothing-away': (_right, driver, { seal, ...options }) => {
    const open = new SessionStore(driver, options)
    return { set: open.set.bind(open), get: open.get.bind(open) }
  },
  'express/change-only-max-age-of-an-existing-session': () => ({ touch: undefined }),
  'express/a-change-of-the-cookie-alone-lasts': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.touch(id, copy(session), callback),
  }),
  'express/a-slow-request-does-not-undo-a-logout': (_right, driver, options) => {
    const forgetful = new SessionStore(driver, { ...options, tombstoneTimeout: 0 })
    return {
      destroy: forgetful.destroy.bind(forgetful),
      set: (id: string, session: SessionData, callback: Any) => forgetful.set(id, copy(session), callback),
    }
  },
  'express/requests-at-once-lose-nothing': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
  'express/a-broken-store-makes-no-new-session': (right) => ({
    get: (id: string, callback: Callback) =>
      right.get(id, (error, found) => callback(null, error ? null : found)),
  }),
  'race/destroy-is-final-beside-a-save': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
    destroy: (id: string, callback?: Callback) =>
      answer(
        callback,
        async () => void (await right.touch(id, { cookie: { expires: new Date(0) } } as never)),
      ),
  }),
  'race/destroy-is-final-beside-a-plain-save': (_right, driver, options) => {
    const forgetful = new SessionStore(driver, { ...options, tombstoneTimeout: 0 })
    return { destroy: forgetful.destroy.bind(forgetful) }
  },
  'race/regenerate-is-final-beside-a-touch-with-another-max-age': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
    regenerate: (req: { sessionID: string }, callback: Callback) => {
      ;(right as Any).generate(req)
      callback(null)
    },
  }),
  'store/a-first-save-that-is-sent-again-after-its-session-was-destroyed-does-not-bring-it-back': sendsAgain,
  'store/a-save-that-is-sent-again-after-its-session-was-revoked-does-not-bring-it-back': sendsAgain,
  'store/a-save-that-is-sent-again-takes-effect-once': sendsAgain,
  'store/a-first-save-that-is-sent-again-takes-effect-once': sendsAgain,
  'store/a-plain-save-that-is-sent-again-takes-effect-once': sendsAgain,
  'store/a-save-of-a-new-session-that-was-given-up-does-not-land-after-the-logout': (
    _right,
    driver,
    options,
  ) => {
    const forgetful = new SessionStore(driver, { ...options, tombstoneTimeout: 0 })
    return { destroy: forgetful.destroy.bind(forgetful) }
  },
  'store/a-save-of-a-read-session-whose-reply-was-lost-is-not-somebody-elses': (right) => {
    // What was sent without an answer is taken for somebody else's.
    const failed = new WeakMap<object, Any>()
    return {
      set: (id: string, session: SessionData, callback?: Callback) =>
        answer(callback, async () => {
          const kept = failed.get(session)
          if (kept) return right.set(id, { ...kept, ...copy(session) })
          return right.set(id, session).catch((error) => {
            failed.set(session, { ...session })
            throw error
          })
        }),
    }
  },
  'store/after-a-save-that-landed-without-an-answer-nothing-is-lost-and-nothing-comes-back': sendsAgain,
  'store/a-save-that-is-sent-again-beside-another-key-keeps-both': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
  'store/a-revoked-Proxy-fails-alone': (right) => ({
    set(id: string, session: SessionData, callback: Any) {
      if (!session.cookie) throw new TypeError('no cookie')
      return right.set(id, session, callback)
    },
  }),
  'store/a-toJSON-without-a-cookie-fails-alone': (right, driver) => ({
    set: (id: string, session: Any, callback?: Callback) =>
      answer(callback, async () => {
        if (!('toJSON' in session)) return right.set(id, session)
        const [row] = await driver.read([right.handle(id)])
        const data = JSON.stringify(session) ?? 'null'
        if (row) await driver.write([{ ...row, data, tag: 'unreadable', expect: row.tag }], row.createdAt)
      }),
  }),
  'store/a-clock-that-throws-once-fails-one-call': (right, _driver, { now }) => ({
    get: (id: string, callback?: Callback) =>
      answer(callback, async () => {
        now?.()
        return right.get(id)
      }),
    touch: (id: string, session: SessionData, callback?: Callback) => {
      now?.()
      return right.touch(id, session, callback as never)
    },
  }),
  'store/a-serializer-that-never-answers-fails-alone': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, () => right.set(id, session).catch(() => {})),
  }),
  'store/a-serializer-that-gives-no-text-fails-alone': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, () => right.set(id, session).catch(() => right.destroy(id))),
  }),
  'store/the-user-annud800-is-refused': (right) => ({
    revokeUser: (user: string) => right.revokeUser(user.toWellFormed()),
  }),
  'store/one-busy-session-leaves-room-for-others': (right) => {
    let open = 0
    return {
      set(id: string, session: SessionData) {
        open++
        return right.set(id, session).finally(() => open--)
      },
      ...reads(async (id) => {
        if (open >= 20) throw new Error('overloaded')
        return right.get(id)
      }),
    }
  },
  'store/a-session-that-is-nested-deep-is-merged-as-it-is-stored': (right) => ({
    set: (id: string, session: Any, callback?: Callback) =>
      answer(callback, async () => {
        if (session.mine) throw new RangeError('Maximum call stack size exceeded')
        return right.set(id, session)
      }),
  }),
  'store/regenerate-of-a-session-that-was-revoked-with-its-user-meanwhile-is-GONE': (right) => ({
    regenerate: (request: Any, callback: Callback) =>
      right.destroy(request.sessionID, (error) => callback(error)),
  }),
  'store/regenerate-of-a-session-that-nobody-stored-is-no-error': (right) => ({
    regenerate: (request: Any, callback: Callback) =>
      right.get(request.sessionID, (_error, found) => {
        if (!found) return callback(new Error('gone'))
        right.regenerate(request, callback)
      }),
  }),
  'store/a-touch-from-before-a-save-leaves-the-longer-deadline-that-it-decided': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.touch(id, copy(session), callback),
  }),
  'store/a-touch-from-before-a-save-leaves-the-shorter-deadline-that-it-decided': (right) => ({
    touch: (id: string, session: SessionData, callback: Any) => right.touch(id, copy(session), callback),
  }),
  'store/a-late-save-of-an-unchanged-session-does-not-move-the-deadline-back': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
  'store/who-sets-an-earlier-end-by-hand-is-heard': (right) => ({
    set: (id: string, session: Any, callback?: Callback) =>
      answer(callback, async () => {
        const found = await right.get(id)
        const ends = [session, found].map((one) => Number(new Date(one?.cookie.expires ?? 0)))
        session.cookie.expires = new Date(Math.max(...ends))
        return right.set(id, session)
      }),
  }),
  'store/a-change-that-only-the-serializer-sees-is-kept': (right) => ({
    set: (id: string, session: SessionData, callback: Any) => right.set(id, copy(session), callback),
  }),
  'store/calls-about-the-whole-store-see-the-saves-before-them': (_right, driver, { now = Date.now }) => ({
    length: async () => driver.count(now()),
  }),
  'store/clear-takes-its-place-among-the-calls': (_right, driver) => ({ clear: async () => driver.clear() }),
  'store/a-seal-holds-for-its-user-its-beginning-and-its-place': (_right, driver, options) => {
    // Opens what it sealed, whatever became of the columns.
    const sealed = new Map<string, Pick<Row, 'user' | 'createdAt'>>()
    const trusting: Driver = {
      ...driver,
      place: 'anywhere',
      async read(keys) {
        const rows = await driver.read(keys)
        return rows.map((row) => {
          const first = sealed.get(`${row.data}`) ?? { user: row.user, createdAt: row.createdAt }
          sealed.set(`${row.data}`, first)
          return { ...row, ...first }
        })
      },
    }
    const open = new SessionStore(trusting, options)
    return { get: open.get.bind(open), set: open.set.bind(open) }
  },
}
