import type { Target } from '@session-stores/core'
import type { SessionData } from 'express-session'
import type { Mutant } from './helpers.ts'

type Change = (session: SessionData) => SessionData | undefined

/** Reads and saves without comparing, as applications do that have no `update`. */
const readThenSave: Mutant = (right) => ({
  async update(id: string, change: Change) {
    const session = await right.get(id)
    const changed = session && change(session)
    if (changed) await right.set(id, { ...changed })
    return changed ?? session
  },
})

/** Repeats an update that failed, although the first attempt may have taken effect. */
const retryAfterErrors: Mutant = (right) => ({
  update: (id: string, change: Change) => right.update(id, change).catch(() => right.update(id, change)),
})

export const update: Readonly<Record<string, Mutant>> = {
  'policy/update/saves-the-change': (right) => ({ update: (id: string) => right.get(id) }),
  'policy/update/of-a-missing-session-is-null': (right) => ({
    update: async (id: string, change: Change) =>
      (await right.get(id)) ? right.update(id, change) : change({ cookie: {} } as SessionData),
  }),
  'policy/update/by-handle-is-of-the-same-session': (right) => ({
    update: (target: Target, change: Change) =>
      right.update(typeof target === 'string' ? target : (target?.handle ?? ''), change),
  }),
  'policy/update/that-changes-nothing-writes-nothing': (right) => ({
    update: (id: string, change: Change) => right.update(id, (session) => change(session) ?? session),
  }),
  'policy/update/at-once-all-count': readThenSave,
  'policy/update/that-is-resent-over-a-save-is-no-guess': retryAfterErrors,
  'policy/update/without-an-answer-is-an-error': retryAfterErrors,
  'policy/update/keeps-a-later-deadline': (right) => ({
    update: (id: string, change: Change) =>
      right.update(id, (session) => {
        const changed = change(session)
        const expires = new Date(Number(changed?.cookie.expires) - 1)
        return changed && ({ ...changed, cookie: { ...changed.cookie, expires } } as SessionData)
      }),
  }),
  'policy/update/that-throws-fails-alone': (right) => ({
    update: (id: string, change: Change) => right.update(id, change).catch(() => null),
  }),
  'policy/update/result-can-be-saved-again': (right) => ({
    update: async (id: string, change: Change) => ({ ...(await right.update(id, change)) }),
  }),
}
