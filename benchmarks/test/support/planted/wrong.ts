import type { Open } from '../../../src/subjects/subject.ts'
import { withLookup } from './lookup.ts'

/** Gives every second time the session that was asked for before. */
export const open: Open = withLookup((get) => {
  let asked = 0
  let before = ''
  return (id, done) => {
    const instead = asked++ % 2 === 1 ? before : id
    before = id
    get(instead, done)
  }
})
