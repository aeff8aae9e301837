import type { Backend, MakeOptions, Subject } from '@session-stores/conformance'
import { type Driver, memoryDriver, type Row, SessionStore, SessionStoreError } from '@session-stores/core'
import type { SessionData, Store } from 'express-session'

/** What a broken store does otherwise than the right one under it, which was made with these options. */
export type Mutant = (store: SessionStore, options?: MakeOptions) => Partial<Store>

/** The reference store: the core on the memory driver, two stores on one, by a clock that the suite drives. */
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
    make: (options) => backendOf(options, mutant),
  }
}

function backendOf(options: MakeOptions, mutant?: Mutant): Backend {
  const { ttl, secrets, ttlOf, touchAfter, disableTouch, skew = 0, pruneInterval = false } = options
  let ahead = skew
  const now = (): number => Date.now() + ahead
  let state: 'up' | 'down' | 'frozen' = 'up'
  const memory = memoryDriver()
  const [own, others] = options.prefixes ?? options.tables ?? []
  const other = own === others ? memory : memoryDriver()
  const thaws: (() => void)[] = []
  /** The driver over a network that may be down. */
  const remote = (driver: typeof memory): typeof memory =>
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
    const store = new SessionStore(remote(driver), {
      ...(ttl !== undefined && { idleTimeout: ttl }),
      ...(secret !== undefined && { seal: { keys: [secret] } }),
      ...(touchAfter !== undefined && { touchAfter }),
      pruneInterval,
      operationTimeout: 2000,
      hashIds: false,
      now,
    })
    if (ttlOf) Object.assign(store, lasting(rightOf(store), ttlOf, now))
    if (disableTouch) Object.assign(store, untouched)
    return mutant ? Object.assign(store, mutant(rightOf(store), options)) : store
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

/** Puts this row there, whatever stands there: over a tombstone, which always lands. */
async function replace(driver: Driver, row: Row): Promise<void> {
  const tag = 'to-be-replaced'
  await driver.write([{ ...row, data: null, tag }], 0)
  await driver.write([{ ...row, expect: tag }], 0)
}

const methods = [
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

/** The methods of the store as they are, for a mutant that replaces some of them. */
function rightOf(store: SessionStore): SessionStore {
  const right = methods.map((name) => [name, (store[name] as () => unknown).bind(store)])
  return Object.fromEntries(right) as SessionStore
}

/** Sessions live for as long as the function says, or by their cookies where it says nothing of use. */
function lasting(
  store: SessionStore,
  ttlOf: NonNullable<MakeOptions['ttlOf']>,
  now: () => number,
): Partial<Store> {
  const verb =
    (name: 'set' | 'touch') =>
    (id: string, session: SessionData, callback: (error?: unknown) => void = () => {}): void => {
      try {
        const life = ttlOf(session)
        const cookie = { ...session.cookie, expires: new Date(now() + life), originalMaxAge: life }
        const lasts = Number.isNaN(life) ? session : { ...session, cookie }
        const call = store[name] as SessionStore['set']
        call(id, lasts as SessionData, callback)
      } catch (error) {
        process.nextTick(callback, error)
      }
    }
  return { set: verb('set'), touch: verb('touch') }
}

const untouched: Partial<Store> = {
  touch: (_id, _session, callback) => process.nextTick(callback ?? (() => {})),
}
