import type { SessionStore } from '@session-stores/core'
import { readUser } from '../../../src/policy/sessions.ts'
import type { Mutant } from './helpers.ts'

/** Reads, and then ends whatever is there. */
const endUnread = async (right: SessionStore, handle: string, user?: string): Promise<boolean> => {
  const found = await right.peek(handle)
  const isThere = found !== null && (user === undefined || readUser(found.session) === user)
  if (isThere) await right.revoke(handle)
  return isThere
}

export const revoke: Readonly<Record<string, Mutant>> = {
  "policy/revoke/with-a-user-ends-only-that-user's": (right) => ({
    revoke: (handle: string) => right.revoke(handle),
  }),
  'policy/revoke/of-two-at-once-one-ends-the-session': (right) => ({
    revoke: (handle: string) => endUnread(right, handle),
  }),
  'policy/revoke/never-ends-a-session-that-has-changed-hands': (right) => ({
    revoke: (handle: string, { user }: { user: string }) => endUnread(right, handle, user),
  }),
  'policy/revoke/of-two-revokeUser-at-once-each-session-counts-once': (right) => ({
    async revokeUser(user: string) {
      const { sessions } = await right.list({ user })
      await right.revokeUser(user)
      return sessions.length
    },
  }),
  // Gives up where another request has saved meanwhile.
  'policy/revoke/beside-saves-ends-the-session': (_right, driver) => ({
    async revoke(handle: string) {
      const [row] = await driver.read([handle])
      const tombstone = { ...row!, data: null, tag: 'tombstone', expect: row!.tag }
      return (await driver.write([tombstone], row!.createdAt)).length > 0
    },
  }),
  'policy/revoke/revokeUser-keeps-the-one-excepted': (right) => ({
    revokeUser: (user: string) => right.revokeUser(user),
  }),
  'policy/revoke/revokeUser-keeps-the-newest': (right) => ({
    revokeUser: (user: string, { except }: { except?: string } = {}) =>
      right.revokeUser(user, except === undefined ? {} : { except }),
  }),
}
