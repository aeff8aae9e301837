import type { Open } from '../../../src/subjects/subject.ts'
import { withLookup } from './lookup.ts'

/** A mutant that takes an additional millisecond. */
export const open: Open = withLookup((get) => (id, done) => void setTimeout(() => get(id, done), 1))
