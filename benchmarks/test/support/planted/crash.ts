import type { Open } from '../../../src/subjects/subject.ts'
import { withLookup } from './lookup.ts'

/**
 * A mutant that crashes in the warm-up. Filling the store makes 192 lookups, and 32 concurrent ones
 * follow.
 */
export const open: Open = withLookup((get) => {
  let asked = 0
  return (id, done) => {
    if (++asked === 200) throw new RangeError('mutant')
    get(id, done)
  }
})
