import type { Identity } from './server.ts'

/**
 * Records for `ServersReporter` on which server a vitest suite or test runs. Ignores objects that
 * are not servers of the testbed.
 */
export function recordServer(task: { readonly meta: object }, server: object): void {
  if (!('version' in server && 'source' in server)) return
  const { version, source, arrangement } = server as Identity
  Object.assign(task.meta, { server: { version, source, arrangement } })
}

/** Returns the server that `recordServer` recorded, if any. */
export const readServer = (meta: object): Identity | undefined => (meta as { server?: Identity }).server
