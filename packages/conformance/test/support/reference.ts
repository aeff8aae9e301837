import type { Backend, MakeOptions, Subject } from '@session-stores/conformance'
import { type Driver, memoryDriver, type Row, SessionStore, SessionStoreError } from '@session-stores/core'
import type { SessionData, Store } from 'express-session'

/**
 * Returns the methods in which a mutant differs from the reference store, made with these options.
 */
export type Mutant = (store: SessionStore, options?: MakeOptions) => Partial<Store>

/**
 * Makes the subject of the reference store: the core on the memory driver, with two stores on one
 * driver and a clock that the suite drives.
 */
export function reference(mutant?: Mutant): Subject {
  return {
    name: 'the reference store',
    accepts: [
      'ttl',
      'prefixes',
      'secrets',
      'ttlOf',
      'touchAfter',
      'disableTouch',
      'timeZones',
      'skew',
      'tables',
      'pruneInterval',
    ],
    make: (options) => makeBackend(options, mutant),
  }
}

function makeBackend(options: MakeOptions, mutant?: Mutant): Backend {
  const { ttl, secrets, ttlOf, touchAfter, disableTouch, skew = 0, pruneInterval = false } = options
  let ahead = skew
  const now = (): number => Date.now() + ahead
  let state: 'up' | 'down' | 'frozen' = 'up'
  const memory = memoryDriver()
  const [own, others] = options.prefixes ?? options.tables ?? []
  const other = own === others ? memory : memoryDriver()
  const thaws: (() => void)[] = []
  /** Puts the driver behind a network that may be down or frozen. */
  const overNetwork = (driver: typeof memory): typeof memory =>
    new Proxy(driver, {
      get(target, verb) {
        const value: unknown = Reflect.get(target, verb)
        if (typeof value !== 'function' || verb === 'close') return value
        return async (...args: unknown[]) => {
          if (state === 'down') throw new SessionStoreError('UNAVAILABLE', 'the database is down')
          if (state === 'frozen') await new Promise<void>((resolve) => thaws.push(resolve))
          return value.apply(target, args)
        }
      },
    })
  const make = (driver: typeof memory, secret?: string): SessionStore => {
    const store = new SessionStore(overNetwork(driver), {
      ...(ttl !== undefined && { idleTimeout: ttl }),
      ...(secret !== undefined && { seal: { keys: [secret] } }),
      ...(touchAfter !== undefined && { touchAfter }),
      pruneInterval,
      operationTimeout: 2000,
      hashIds: false,
      now,
    })
    if (ttlOf) Object.assign(store, followTtlOf(bindMethods(store), ttlOf, now))
    if (disableTouch) Object.assign(store, skipTouches)
    return mutant ? Object.assign(store, mutant(bindMethods(store), options)) : store
  }
  const stores = [make(memory, secrets?.[0]), make(other, secrets?.[1])] as const
  return {
    stores,
    dispose: async () => {
      for (const store of stores) await store.close()
    },
    advance(ms) {
      ahead += ms
    },
    async corrupt(id) {
      const [row] = await memory.read([id])
      await replace(memory, { ...row!, data: '{"cookie":' })
    },
    async move(from, to) {
      const [row] = await memory.read([from])
      await replace(memory, { ...row!, key: to })
    },
    stored: () => memory.count(0),
    stop() {
      state = 'down'
      return () => {
        state = 'up'
      }
    },
    freeze() {
      state = 'frozen'
      return () => {
        state = 'up'
        for (const thaw of thaws.splice(0)) thaw()
      }
    },
  }
}

/** Overwrites a row, whatever its version: a tombstone always lands, and then the row follows. */
async function replace(driver: Driver, row: Row): Promise<void> {
  const tag = 'to-be-replaced'
  await driver.write([{ ...row, data: null, tag }], 0)
  await driver.write([{ ...row, expect: tag }], 0)
}

const METHODS = [
  'get',
  'set',
  'touch',
  'destroy',
  'all',
  'length',
  'clear',
  'ids',
  'createSession',
  'prune',
] as const

/** Returns the original methods of the store, for a mutant that replaces some of them. */
function bindMethods(store: SessionStore): SessionStore {
  const bound = METHODS.map((name) => [name, (store[name] as () => unknown).bind(store)])
  return Object.fromEntries(bound) as SessionStore
}

/**
 * Makes sessions live for as long as the function says, or by their cookies if it returns `NaN`.
 */
function followTtlOf(
  store: SessionStore,
  ttlOf: NonNullable<MakeOptions['ttlOf']>,
  now: () => number,
): Partial<Store> {
  const replaceMethod =
    (name: 'set' | 'touch') =>
    (id: string, session: SessionData, callback: (error?: unknown) => void = () => {}): void => {
      try {
        const life = ttlOf(session)
        const cookie = { ...session.cookie, expires: new Date(now() + life), originalMaxAge: life }
        const changed = Number.isNaN(life) ? session : { ...session, cookie }
        const call = store[name] as SessionStore['set']
        call(id, changed as SessionData, callback)
      } catch (error) {
        process.nextTick(callback, error)
      }
    }
  return { set: replaceMethod('set'), touch: replaceMethod('touch') }
}

const skipTouches: Partial<Store> = {
  touch: (_id, _session, callback) => process.nextTick(callback ?? (() => {})),
}
