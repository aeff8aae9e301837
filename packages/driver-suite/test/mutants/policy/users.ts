import type { SessionData } from 'express-session'
import { answer, type Mutant } from './helpers.ts'

export const users: Readonly<Record<string, Mutant>> = {
  'policy/users/no-user-is-asked-for-without-the-option-user': (right) => ({
    revokeUser: async (user: string) => (user === '' ? right.revokeUser(user) : 0),
  }),
  'policy/users/sessions-from-before-the-option-user-can-be-assigned': () => ({ assignUsers: async () => 0 }),
  'policy/users/list-pages-name-every-session-once': (right) => ({
    list: async (query: object) => ({ ...(await right.list(query)), next: undefined }),
  }),
  'policy/users/a-session-stays-listed-whoever-touches-it': (right, driver, { user, now = Date.now }) => ({
    touch: (id: string, session: SessionData) =>
      answer(undefined, async () => {
        await right.touch(id, session)
        const [row] = await driver.read([right.handle(id)])
        if (row && !user?.(session))
          await driver.write([{ ...row, user: null, tag: 'other', expect: row.tag }], now())
      }),
  }),
  'policy/users/no-user-is-never-everybody': (right) => ({
    list: ({ user, ...query }: { user?: string } = {}) =>
      right.list(user === undefined ? query : { user, ...query }),
  }),
}
