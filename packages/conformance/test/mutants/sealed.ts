import type { Mutant } from '../support/reference.ts'
import { forgets, hidesReadErrors, makeSimple } from './shared.ts'

/** Decrypts without authentication, so that a changed or moved record gives a session. */
const opensAnything: Mutant = (store) => ({
  get: (id, callback) =>
    void store.get(id, (error, found) =>
      callback(null, error ? ({ cookie: { originalMaxAge: null }, admin: true } as never) : found),
    ),
})

export const sealed: Readonly<Record<string, Mutant>> = {
  'sealed/same-secret-opens': forgets,
  'sealed/another-secret-opens-nothing': makeSimple(),
  'sealed/another-secret-is-told': hidesReadErrors,
  'sealed/changed-record-opens-nothing': opensAnything,
  'sealed/moved-record-opens-nothing': opensAnything,
}
