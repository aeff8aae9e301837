import type { Any, Callback, Mutant } from './helpers.ts'

export const regenerate: Readonly<Record<string, Mutant>> = {
  'policy/regenerate/of-a-session-that-was-revoked-with-its-user-meanwhile-is-GONE': (right) => ({
    regenerate: (request: Any, callback: Callback) =>
      right.destroy(request.sessionID, (error) => callback(error)),
  }),
  'policy/regenerate/of-a-session-that-nobody-stored-is-no-error': (right) => ({
    regenerate: (request: Any, callback: Callback) =>
      right.get(request.sessionID, (_error, found) => {
        if (!found) return callback(new Error('gone'))
        right.regenerate(request, callback)
      }),
  }),
}
