import type { Mutant } from '../support/reference.ts'
import {
  answer,
  type Callback,
  cachesReads,
  failOnMisses,
  keepsDestroyed,
  limitCalls,
  makeSimple,
  regenerate,
} from './shared.ts'

/** Calls back without saving if the id was ever destroyed. */
const dropsWhatWasDestroyed: Mutant = (store) => {
  const gone = new Set<string>()
  return {
    set(id, session, callback) {
      if (gone.has(id)) answer(callback)
      else store.set(id, session, callback as Callback)
    },
    destroy(id, callback) {
      gone.add(id)
      store.destroy(id, callback as Callback)
    },
  }
}

export const logouts: Readonly<Record<string, Mutant>> = {
  'destroy/ends-the-session': keepsDestroyed,
  'destroy/ends-it-in-every-process': cachesReads,
  'destroy/ends-only-its-own': (store) => {
    const saved = new Set<string>()
    return {
      set(id, session, callback) {
        saved.add(id)
        store.set(id, session, callback as Callback)
      },
      destroy(id, callback) {
        for (const other of saved) if (other !== id && other.startsWith(id)) store.destroy(other, () => {})
        store.destroy(id, callback as Callback)
      },
    }
  },
  'destroy/twice-is-no-error': failOnMisses('destroy'),
  'destroy/of-nobody-is-no-error': failOnMisses('destroy'),
  'destroy/many-at-once': limitCalls('destroy'),
  'destroy/id-can-be-used-again': dropsWhatWasDestroyed,
  'destroy/of-nobody-keeps-no-later-session-away': dropsWhatWasDestroyed,
  'destroy/save-after-it-is-kept-or-refused': dropsWhatWasDestroyed,
  'destroy/wins-over-the-save-before-it': makeSimple((rows) => ({
    set: (id, session, callback) =>
      void setTimeout(() => {
        rows.set(id, JSON.stringify(session))
        callback?.()
      }, 2),
  })),
  'destroy/late-save-does-not-undo-it': makeSimple(),
  'destroy/late-save-elsewhere-does-not-undo-it': makeSimple(),
  'destroy/save-at-the-same-moment-does-not-undo-it': makeSimple(),
  'regenerate/old-id-opens-nothing': keepsDestroyed,
  'regenerate/of-nobody-is-no-error': (store) => ({ ...failOnMisses('destroy')(store), regenerate }),
  'regenerate/of-an-open-session-works': (store) => ({
    regenerate(this: { generate(req: unknown): void }, req, callback) {
      const { sessionID, session } = req
      store.get(sessionID, (_, found) => {
        this.generate(req)
        // The mutant takes a session that another request saved for a different session.
        const isSame = !session || JSON.stringify(session) === JSON.stringify(found)
        store.destroy(sessionID, () => callback(isSame ? undefined : new Error('the session is another one')))
      })
    },
  }),
  'regenerate/of-a-destroyed-session-is-an-error': () => ({ regenerate }),
  'regenerate/late-save-does-not-undo-it': makeSimple(),
  'regenerate/generates-though-the-database-is-away': (store) => ({
    regenerate(this: { generate(req: unknown): void }, req, callback) {
      store.destroy(req.sessionID, (error) => {
        if (!error) this.generate(req)
        callback(error)
      })
    },
  }),
}
