import { databases } from '@session-stores/testbed/databases'

/** The modules in `subjects/` of this project's own stores. */
export const ours: readonly string[] = [
  'session-store',
  ...Object.values(databases).map(({ store }) => moduleOf(store)),
]

/** Returns the name of a store's module: `redis-store` for `RedisStore`. */
export function moduleOf(store: string): string {
  return store.replace('Store', '-store').toLowerCase()
}
