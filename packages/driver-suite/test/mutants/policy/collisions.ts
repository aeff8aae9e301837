import { SessionStore } from '@session-stores/core'
import type { Mutant } from './helpers.ts'

export const collisions: Readonly<Record<string, Mutant>> = {
  'policy/collisions/a-conflict-may-be-an-error': (_right, driver, options) => {
    const merging = new SessionStore(driver, { ...options, onConflict: 'merge' })
    return { set: merging.set.bind(merging) }
  },
}
