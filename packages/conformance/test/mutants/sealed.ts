import type { Mutant } from '../support/reference.ts'
import { answer, crude } from './broken.ts'
import { forgets } from './shared.ts'

/** Reads its cipher without looking whether it is whole, and in its place: what is there is this. */
const opensAnything: Mutant = (store) => ({
  get: (id, callback) =>
    void store.get(id, (error, found) =>
      callback(null, error ? ({ cookie: { originalMaxAge: null }, admin: true } as never) : found),
    ),
})

export const sealed: Readonly<Record<string, Mutant>> = {
  'sealed/same-secret-opens': forgets,
  'sealed/another-secret-opens-nothing': crude(),
  'sealed/another-secret-is-told': (store) => ({
    get: (id, callback) => void store.get(id, (_, found) => answer(callback, null, found)),
  }),
  'sealed/changed-record-opens-nothing': opensAnything,
  'sealed/moved-record-opens-nothing': opensAnything,
}
