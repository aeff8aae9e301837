import type { Callback, Mutant } from './helpers.ts'

export const httpRequests: Readonly<Record<string, Mutant>> = {
  'http/requests/a-broken-store-makes-no-new-session': (right) => ({
    get: (id: string, callback: Callback) =>
      right.get(id, (error, found) => callback(null, error ? null : found)),
  }),
}
