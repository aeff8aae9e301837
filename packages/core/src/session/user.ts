import type { SessionData } from 'express-session'
import { reject } from '../dispatch/settle.ts'
import { sha256 } from '../encoding/key.ts'
import { SessionStoreError } from '../errors.ts'
import type { Settings } from '../options.ts'

/**
 * Hashes the id of a user. The prefix keeps the hash apart from every session's. `1` and `'1'` are
 * the same user.
 *
 * @throws INVALID_USER
 */
export function userHash(user: unknown): string {
  // In UTF-8 every lone surrogate becomes U+FFFD, so two users would share a hash (CWE-176).
  if (typeof user === 'string' ? user !== '' && user.isWellFormed() : Number.isFinite(user))
    return sha256(`user:${user}`)
  throw new SessionStoreError(
    'INVALID_USER',
    "a user's id must be a non-empty string of well-formed Unicode, or a number",
  )
}

/**
 * Returns the hash of the user that the option `user` names for this session, or `null` where it
 * names nobody.
 *
 * @throws INVALID_USER, or INVALID_SESSION where the option throws
 */
export function userOf(session: SessionData, { user }: Settings): string | null {
  let id: ReturnType<NonNullable<Settings['user']>>
  try {
    id = user?.(session)
  } catch (error) {
    throw new SessionStoreError(
      'INVALID_SESSION',
      "the option 'user' threw; it is also called for sessions that belong to nobody: write session.user?.id, for example",
      error,
    )
  }
  return id === undefined || id === null ? null : userHash(id)
}

/** Rejects with a TypeError where ids are not hashed, and no handle leads to a session. */
export function refuseWithoutHandles({ hashIds }: Settings, method: string): Promise<never> | undefined {
  if (hashIds) return undefined
  return reject(new TypeError(`${method} finds sessions by their handles, which needs 'hashIds: true'`))
}

/**
 * Rejects with a TypeError where the option `user` is missing. Without it no session has a user,
 * and an answer such as "no sessions" would be wrong.
 */
export function refuseWithoutUsers({ user }: Settings): Promise<never> | undefined {
  if (user !== undefined) return undefined
  return reject(
    new TypeError(
      "sessions have no users: give the store the option 'user', such as user: (session) => session.userId",
    ),
  )
}
