import { chownSync } from 'node:fs'

/** Whom a server runs as; the user of this process where it is not said. */
export interface User {
  readonly uid?: number
  readonly gid?: number
}

const NOBODY = 65_534

/** Who runs a server that refuses to run as root: `nobody`, who is given the folder, where this process is root. */
export function unprivileged(folder: string): User {
  if (process.getuid?.() !== 0) return {}
  chownSync(folder, NOBODY, NOBODY)
  return { uid: NOBODY, gid: NOBODY }
}
