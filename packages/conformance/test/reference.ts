import type { Backend, MakeOptions, Subject } from '@session-stores/conformance'
import { memoryDriver, SessionStore, SessionStoreError } from '@session-stores/core'
import type { Store } from 'express-session'

/** What a broken store does otherwise than the right one under it. */
export type Mutant = (store: SessionStore) => Partial<Store>

/** The reference store: the core on the memory driver, two stores on one, by a clock that the suite drives. */
export function reference(mutant?: Mutant): Subject {
  return {
    name: 'the reference store',
    accepts: ['ttl', 'prefixes', 'secrets'],
    make: (options) => backendOf(options, mutant),
  }
}

function backendOf({ ttl, prefixes, secrets }: MakeOptions, mutant?: Mutant): Backend {
  let ahead = 0
  let state: 'up' | 'down' | 'frozen' = 'up'
  const memory = memoryDriver()
  const other = prefixes && prefixes[0] !== prefixes[1] ? memoryDriver() : memory
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
      pruneInterval: false,
      operationTimeout: 2000,
      hashIds: false,
      now: () => Date.now() + ahead,
    })
    return mutant ? Object.assign(store, mutant(rightOf(store))) : store
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
      await memory.write([{ ...row!, data: '{"cookie":' }], 0)
    },
    async move(from, to) {
      const [row] = await memory.read([from])
      await memory.write([{ ...row!, key: to }], 0)
    },
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

const methods = ['get', 'set', 'touch', 'destroy', 'all', 'length', 'clear', 'ids', 'createSession'] as const

/** The methods of the store as they are, for a mutant that replaces some of them. */
function rightOf(store: SessionStore): SessionStore {
  const right = methods.map((name) => [name, (store[name] as () => unknown).bind(store)])
  return Object.fromEntries(right) as SessionStore
}
