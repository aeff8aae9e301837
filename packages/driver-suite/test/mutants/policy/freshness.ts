import { type Driver, SessionStore, type StoreOptions } from '@session-stores/core'
import { type Mutant, makeGet, saveCopies } from './helpers.ts'

/** Opens the same store without the option. */
const openWithout = (driver: Driver, options: StoreOptions): SessionStore =>
  new SessionStore(driver, { ...options, freshness: 0 })

const withoutFreshness: Mutant = (_right, driver, options) => {
  const plain = openWithout(driver, options)
  return {
    get: plain.get.bind(plain),
    set: plain.set.bind(plain),
    peek: plain.peek.bind(plain),
    touch: plain.touch.bind(plain),
  }
}

/** The mutant looks up in a cache that hears nothing of what the store does. */
const deaf: Mutant = (_right, driver, options) => {
  const { now = Date.now } = options
  const freshness = options.freshness || 0
  const plain = openWithout(driver, options)
  const known = new Map<string, { session: unknown; at: number }>()
  return makeGet(async (id) => {
    const found = known.get(id)
    if (found && now() - found.at < freshness) return structuredClone(found.session)
    const session = await plain.get(id)
    // The age counts from the answer, and absent sessions are not remembered.
    if (session) known.set(id, { session: structuredClone(session), at: now() })
    return session
  })
}

/** The mutant remembers for longer than the option says. */
const tooLong: Mutant = (_right, driver, options) => {
  const slow = new SessionStore(driver, { ...options, freshness: (options.freshness || 1) * 3 })
  return Object.fromEntries(
    (['get', 'set', 'peek', 'touch', 'destroy'] as const).map((name) => [
      name,
      (slow[name] as (...args: unknown[]) => unknown).bind(slow),
    ]),
  )
}

const ofChanges = [
  'a-save',
  'a-save-of-what-was-read',
  'an-update',
  'a-logout',
  'a-revocation',
  'a-revocation-of-its-user',
  'a-clear',
  'a-regenerate',
  'a-touch',
]

export const freshness: Readonly<Record<string, Mutant>> = {
  'policy/freshness/a-lookup-costs-no-trip': withoutFreshness,
  'policy/freshness/what-was-saved-costs-no-trip': withoutFreshness,
  'policy/freshness/lookups-beside-a-read-share-it': withoutFreshness,
  'policy/freshness/a-touch-after-it-costs-nothing': withoutFreshness,
  'policy/freshness/the-database-may-be-away': withoutFreshness,
  ...Object.fromEntries(ofChanges.map((name) => [`policy/freshness/${name}-counts-at-once`, deaf])),
  'policy/freshness/each-lookup-has-its-own-object': (right) => {
    let known: unknown
    return makeGet(async (id) => {
      known ??= await right.get(id)
      return known
    })
  },
  'policy/freshness/an-end-elsewhere-counts-within-it': tooLong,
  'policy/freshness/a-save-elsewhere-counts-within-it': tooLong,
  'policy/freshness/it-begins-when-the-database-is-asked': deaf,
  'policy/freshness/a-late-answer-is-not-remembered': (right, driver, options) => {
    const plain = openWithout(driver, options)
    const known = new Map<string, unknown>()
    return {
      peek: async (handle: string) => {
        const found = await plain.peek(handle)
        if (found) known.set(handle, found.session)
        return found
      },
      destroy: async (id: string) => {
        known.delete(right.handle(id))
        await plain.destroy(id)
      },
      ...makeGet(async (id) => known.get(right.handle(id)) ?? plain.get(id)),
    }
  },
  'policy/freshness/a-lookup-can-ask-the-database': (right) => ({
    peek: (handle: string) => right.peek(handle),
  }),
  'policy/freshness/deadlines-are-exact': deaf,
  'policy/freshness/an-extension-elsewhere-counts': (right, _driver, { now = Date.now }) => {
    const ends = new Map<string, number>()
    return {
      set: async (id: string, session: never) => {
        await right.set(id, session)
        ends.set(id, Number((await right.get(id))?.cookie.expires))
      },
      ...makeGet(async (id) => ((ends.get(id) ?? 0) > now() ? right.get(id) : null)),
    }
  },
  'policy/freshness/stale-knowledge-loses-no-update': saveCopies,
  'policy/freshness/a-save-of-stale-knowledge-revives-nothing': (right, driver) => ({
    set: async (id: string, session: never) => {
      await driver.write(
        [{ key: right.handle(id), data: null, tag: 'x', user: null, createdAt: 0, expiresAt: 0 }],
        Date.now(),
      )
      await right.set(id, { ...(session as object) } as never)
    },
  }),
  'policy/freshness/memory-is-bounded': (_right, driver, options) => {
    const large = new SessionStore(driver, { ...options, cacheBytes: 64_000_000 })
    return { get: large.get.bind(large), set: large.set.bind(large) }
  },
}
