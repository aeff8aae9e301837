import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { answer, type Callback } from './shared.ts'

/** Changes the id of every call, so that some ids become the same. */
const changeIds =
  (change: (id: string) => string): Mutant =>
  (store) => ({
    get: (id, callback) => void store.get(change(id), callback),
    set: (id, session, callback) => void store.set(change(id), session, callback as Callback),
    destroy: (id, callback) => void store.destroy(change(id), callback as Callback),
  })

export const ids: Readonly<Record<string, Mutant>> = {
  'ids/of-express': changeIds((id) => id.slice(0, 31)),
  'ids/case': changeIds((id) => id.toLowerCase()),
  'ids/parts-of-each-other': changeIds((id) => id.split(':')[0] || 'none'),
  'ids/names-of-javascript': changeIds((id) => String(Number(id) || id)),
  'ids/patterns': changeIds((id) => id.replaceAll(/['"`]/g, '') || 'none'),
  'ids/paths': changeIds((id) => id.replaceAll('..', '')),
  'ids/long': changeIds((id) => id.slice(0, 128)),
  'ids/spaces-at-the-end': changeIds((id) => id.trimEnd()),
  'ids/nul': changeIds((id) => id.split('\0')[0]!),
  'ids/unicode': changeIds((id) => id.normalize('NFKD').replaceAll(/[^\0-\x7f]/g, '')),
  'ids/ill-formed': changeIds((id) => encodeURIComponent(id.toWellFormed())),
  'ids/empty': changeIds((id) => id || 'a'),
  'ids/nobody-has-an-impossible-one': (store) => ({
    get(id, callback) {
      if (id.length > 256) answer(callback, new Error('a session id has at most 256 characters'))
      else store.get(id, callback)
    },
  }),
  'ids/all-of-them-are-listed': (store) => ({
    all: (callback) =>
      void store.all((error, found) => {
        // A common mistake: an assignment to `__proto__` adds no key.
        const sessions: Record<string, SessionData> = {}
        for (const [id, session] of Object.entries(found ?? {})) sessions[id] = session
        callback(error, sessions)
      }),
  }),
}
