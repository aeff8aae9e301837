import type { Open } from '../../../src/subjects/subject.ts'
import { withLookup } from './lookup.ts'

/** A millisecond more. */
export const open: Open = withLookup((get) => (id, done) => void setTimeout(() => get(id, done), 1))
