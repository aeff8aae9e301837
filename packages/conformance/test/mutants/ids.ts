import type { SessionData } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { answer } from './broken.ts'
import type { Callback } from './shared.ts'

/** Takes some ids for others. */
const taking =
  (change: (id: string) => string): Mutant =>
  (store) => ({
    get: (id, callback) => void store.get(change(id), callback),
    set: (id, session, callback) => void store.set(change(id), session, callback as Callback),
    destroy: (id, callback) => void store.destroy(change(id), callback as Callback),
  })

export const ids: Readonly<Record<string, Mutant>> = {
  'ids/of-express': taking((id) => id.slice(0, 31)),
  'ids/case': taking((id) => id.toLowerCase()),
  'ids/parts-of-each-other': taking((id) => id.split(':')[0] || 'none'),
  'ids/names-of-javascript': taking((id) => String(Number(id) || id)),
  'ids/patterns': taking((id) => id.replaceAll(/['"`]/g, '') || 'none'),
  'ids/paths': taking((id) => id.replaceAll('..', '')),
  'ids/long': taking((id) => id.slice(0, 128)),
  'ids/spaces-at-the-end': taking((id) => id.trimEnd()),
  'ids/nul': taking((id) => id.split('\0')[0]!),
  'ids/unicode': taking((id) => id.normalize('NFKD').replaceAll(/[^\0-\x7f]/g, '')),
  'ids/ill-formed': taking((id) => encodeURIComponent(id.toWellFormed())),
  'ids/empty': taking((id) => id || 'a'),
  'ids/nobody-has-an-impossible-one': (store) => ({
    get(id, callback) {
      if (id.length > 256) answer(callback, new Error('a session id has at most 256 characters'))
      else store.get(id, callback)
    },
  }),
  'ids/all-of-them-are-listed': (store) => ({
    all: (callback) =>
      void store.all((error, found) => {
        // As many write it: under `__proto__` nothing is added to the list.
        const sessions: Record<string, SessionData> = {}
        for (const [id, session] of Object.entries(found ?? {})) sessions[id] = session
        callback(error, sessions)
      }),
  }),
}
