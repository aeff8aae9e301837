import type { Identity } from './server.ts'

/** Notes for `ServersReporter` on which server a suite or a test (of vitest) runs; what is none of ours is not noted. */
export function ranOn(task: { readonly meta: object }, server: object): void {
  if (!('version' in server && 'source' in server)) return
  const { version, source, arrangement } = server as Identity
  Object.assign(task.meta, { server: { version, source, arrangement } })
}

/** What `ranOn` noted, if anything. */
export const serverOf = (meta: object): Identity | undefined => (meta as { server?: Identity }).server
