import type { SessionData } from 'express-session'
import { type Any, answer, type Callback, type Mutant, makeGet } from './helpers.ts'

export const hostile: Readonly<Record<string, Mutant>> = {
  'policy/hostile/a-revoked-Proxy-fails-alone': (right) => ({
    set(id: string, session: SessionData, callback: Any) {
      if (!session.cookie) throw new TypeError('no cookie')
      return right.set(id, session, callback)
    },
  }),
  'policy/hostile/a-toJSON-without-a-cookie-fails-alone': (right, driver) => ({
    set: (id: string, session: Any, callback?: Callback) =>
      answer(callback, async () => {
        if (!('toJSON' in session)) return right.set(id, session)
        const [row] = await driver.read([right.handle(id)])
        const data = JSON.stringify(session) ?? 'null'
        if (row) await driver.write([{ ...row, data, tag: 'unreadable', expect: row.tag }], row.createdAt)
      }),
  }),
  'policy/hostile/a-clock-that-throws-once-fails-one-call': (right, _driver, { now }) => ({
    get: (id: string, callback?: Callback) =>
      answer(callback, async () => {
        now?.()
        return right.get(id)
      }),
    touch: (id: string, session: SessionData, callback?: Callback) => {
      now?.()
      return right.touch(id, session, callback as never)
    },
  }),
  'policy/hostile/a-serializer-that-never-answers-fails-alone': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, () => right.set(id, session).catch(() => {})),
  }),
  'policy/hostile/a-serializer-that-gives-no-text-fails-alone': (right) => ({
    set: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, () => right.set(id, session).catch(() => right.destroy(id))),
  }),
  'policy/hostile/the-user-annud800-is-refused': (right) => ({
    revokeUser: (user: string) => right.revokeUser(user.toWellFormed()),
  }),
  'policy/hostile/one-busy-session-leaves-room-for-others': (right) => {
    let open = 0
    return {
      set(id: string, session: SessionData) {
        open++
        return right.set(id, session).finally(() => open--)
      },
      ...makeGet(async (id) => {
        if (open >= 20) throw new Error('overloaded')
        return right.get(id)
      }),
    }
  },
  'policy/hostile/a-session-that-is-nested-deep-is-merged-as-it-is-stored': (right) => ({
    set: (id: string, session: Any, callback?: Callback) =>
      answer(callback, async () => {
        if (session.mine) throw new RangeError('Maximum call stack size exceeded')
        return right.set(id, session)
      }),
  }),
}
