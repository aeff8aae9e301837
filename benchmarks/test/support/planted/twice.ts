import type { Open } from '../../../src/subjects/subject.ts'
import { withLookup } from './lookup.ts'

/** Asks again: a round trip more. */
export const open: Open = withLookup((get) => (id, done) => get(id, () => get(id, done)))
