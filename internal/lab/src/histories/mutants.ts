import type { SessionStore } from '@session-stores/core'

/** The stores that are broken on purpose. The checker has to find each of them. */
export const MUTANTS = [
  'loses an update',
  'acknowledges a logout that it forgets',
  'revives a session by a late save',
  'answers from a stale cache',
  'ignores deadlines',
  'ends sessions early',
  'acknowledges a plain object that was refused',
  'counts an update twice',
] as const
export type Mutant = (typeof MUTANTS)[number]

/** How far the clock of the store is wrong, in milliseconds. */
export function wrongClockOf(mutant: Mutant | undefined): number {
  return mutant === 'ignores deadlines' ? -60_000 : mutant === 'ends sessions early' ? 600 : 0
}

/** Breaks the store. A fault strikes every third call, so that the others show what is lost. */
export function breakStore(store: SessionStore, mutant: Mutant | undefined): SessionStore {
  let calls = 0
  const strikes = (): boolean => ++calls % 3 === 0
  const original = {
    get: store.get.bind(store) as (id: string) => Promise<unknown>,
    set: store.set.bind(store) as (id: string, session: unknown) => Promise<void>,
    update: store.update.bind(store),
    destroy: store.destroy.bind(store) as (id: string) => Promise<void>,
  }
  const change = (methods: object): SessionStore => Object.assign(store, methods)
  switch (mutant) {
    case 'loses an update':
      return change({
        set: (id: string, session: unknown) => (strikes() ? Promise.resolve() : original.set(id, session)),
      })
    case 'acknowledges a logout that it forgets':
      return change({ destroy: (id: string) => (strikes() ? Promise.resolve() : original.destroy(id)) })
    case 'revives a session by a late save':
      return change({
        set: (id: string, session: object) =>
          original.set(id, session).catch((error) => {
            if (error.code !== 'GONE') throw error
            // A new object of the same class creates the session anew.
            const created = Object.assign(Object.create(Object.getPrototypeOf(session)), session)
            return original.set(id, Object.defineProperty(created, 'req', { value: undefined }))
          }),
      })
    case 'answers from a stale cache': {
      const known = new Map<string, unknown>()
      return change({
        async get(id: string) {
          if (known.has(id) && strikes()) return known.get(id)
          const found = await original.get(id)
          known.set(id, found)
          return found
        },
      })
    }
    case 'acknowledges a plain object that was refused':
      return change({
        set: (id: string, session: object) =>
          original.set(id, session).catch((error) => {
            if (error.code !== 'GONE' || !Object.hasOwn(session, 'plain')) throw error
          }),
      })
    case 'counts an update twice':
      return change({
        update: (id: string, alter: Parameters<typeof store.update>[1]) =>
          strikes()
            ? original.update(id, alter).then(() => original.update(id, alter))
            : original.update(id, alter),
      })
    default:
      return store
  }
}
