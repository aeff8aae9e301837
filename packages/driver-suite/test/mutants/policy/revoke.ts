import type { Mutant } from './helpers.ts'

export const revoke: Readonly<Record<string, Mutant>> = {
  "policy/revoke/with-a-user-ends-only-that-user's": (right) => ({
    revoke: (handle: string) => right.revoke(handle),
  }),
  'policy/revoke/revokeUser-keeps-the-one-excepted': (right) => ({
    revokeUser: (user: string) => right.revokeUser(user),
  }),
  'policy/revoke/revokeUser-keeps-the-newest': (right) => ({
    revokeUser: (user: string, { except }: { except?: string } = {}) =>
      right.revokeUser(user, except === undefined ? {} : { except }),
  }),
}
