import type { Mutant } from '../reference.ts'

export const touches: Readonly<Record<string, Mutant>> = {
  'touch/creates-nothing': (store) => ({
    touch: (id, session, callback) => void store.set(id, session, callback),
  }),
}
