import type { Open } from '../../../src/subjects/subject.ts'
import { withLookup } from './lookup.ts'

/** A mutant that makes an additional round trip. */
export const open: Open = withLookup((get) => (id, done) => get(id, () => get(id, done)))
