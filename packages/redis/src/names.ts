import { HASH_LENGTH } from './row.ts'

// Names are keys without the store's prefix. Names of sessions have no ':', so stores with the
// prefixes `sess:` and `sess:app:` do not see each other's sessions.

const HASH = new RegExp(`^[\\w-]{${HASH_LENGTH}}$`)
const INDEX = new RegExp(`^:[\\w-]{${HASH_LENGTH}}$`)

/** Whether the name is that of a session with a hashed id. Nobody else has keys of this form. */
export const isHash = (name: string): boolean => HASH.test(name)

/**
 * Whether the name may be that of a session with `hashIds: false`. Keys of others may look alike,
 * so that only their values tell.
 */
export const isPlain = (name: string): boolean => /^[!-9;-~]+$/.test(name) && !isHash(name)

/** Whether the name may be that of a session. */
export const isSession = (name: string): boolean => isHash(name) || isPlain(name)

/** Whether the name is that of the index of a user. */
export const isIndex = (name: string): boolean => INDEX.test(name)
