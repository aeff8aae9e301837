import type { Mutant } from '../support/reference.ts'
import { answer, cachesReads, crude, missesAreErrors, oneAtATime } from './broken.ts'
import { type Callback, keepsDestroyed, regenerate } from './shared.ts'

/** Saves nothing under an id that was destroyed once, and says that it did. */
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
  'destroy/twice-is-no-error': missesAreErrors('destroy'),
  'destroy/of-nobody-is-no-error': missesAreErrors('destroy'),
  'destroy/many-at-once': oneAtATime('destroy'),
  'destroy/id-can-be-used-again': dropsWhatWasDestroyed,
  'destroy/of-nobody-keeps-no-later-session-away': dropsWhatWasDestroyed,
  'destroy/save-after-it-is-kept-or-refused': dropsWhatWasDestroyed,
  'destroy/wins-over-the-save-before-it': crude((rows) => ({
    set: (id, session, callback) =>
      void setTimeout(() => {
        rows.set(id, JSON.stringify(session))
        callback?.()
      }, 2),
  })),
  'destroy/late-save-does-not-undo-it': crude(),
  'destroy/late-save-elsewhere-does-not-undo-it': crude(),
  'destroy/save-at-the-same-moment-does-not-undo-it': crude(),
  'regenerate/old-id-opens-nothing': keepsDestroyed,
  'regenerate/of-nobody-is-no-error': (store) => ({ ...missesAreErrors('destroy')(store), regenerate }),
  'regenerate/of-an-open-session-works': (store) => ({
    regenerate(this: { generate(req: unknown): void }, req, callback) {
      const { sessionID, session } = req
      store.get(sessionID, (_, found) => {
        this.generate(req)
        // What another request saved is taken for another session.
        const isSame = !session || JSON.stringify(session) === JSON.stringify(found)
        store.destroy(sessionID, () => callback(isSame ? undefined : new Error('it is another session')))
      })
    },
  }),
  'regenerate/of-a-destroyed-session-is-an-error': () => ({ regenerate }),
  'regenerate/late-save-does-not-undo-it': crude(),
  'regenerate/generates-though-the-database-is-away': (store) => ({
    regenerate(this: { generate(req: unknown): void }, req, callback) {
      store.destroy(req.sessionID, (error) => {
        if (!error) this.generate(req)
        callback(error)
      })
    },
  }),
}
