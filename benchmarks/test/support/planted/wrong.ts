import type { Open } from '../../../src/subjects/subject.ts'
import { withLookup } from './lookup.ts'

/** A mutant that returns the session of the previous lookup every second time. */
export const open: Open = withLookup((get) => {
  let asked = 0
  let before = ''
  return (id, done) => {
    const instead = asked++ % 2 === 1 ? before : id
    before = id
    get(instead, done)
  }
})
