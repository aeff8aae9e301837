import type { SessionData } from 'express-session'
import {
  type Any,
  answer,
  type Callback,
  copy,
  destroyWithoutTombstone,
  type Mutant,
  openWithoutTombstones,
} from './helpers.ts'

export const gone: Readonly<Record<string, Mutant>> = {
  'policy/gone/a-plain-save-after-the-logout-of-nobody-is-kept': (right, driver) => ({
    destroy: (id: string, callback?: Callback) =>
      answer(callback, async () => {
        const key = right.handle(id)
        const row = { key, data: null, tag: 'over', user: null, createdAt: 1, expiresAt: Date.now() + 60_000 }
        await right.destroy(id)
        await driver.write([row], Date.now())
      }),
  }),
  'policy/gone/a-session-that-was-destroyed-is-not-saved': (_right, driver, options) => {
    const forgetful = openWithoutTombstones(driver, options)
    return {
      destroy: forgetful.destroy.bind(forgetful),
      set: (id: string, session: SessionData, callback: Any) => forgetful.set(id, copy(session), callback),
    }
  },
  'policy/gone/a-plain-save-does-not-undo-a-logout': destroyWithoutTombstone,
}
