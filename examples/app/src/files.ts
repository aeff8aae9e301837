import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'

/** Makes the folder for its owner alone. One that exists keeps its mode, for others may use it. */
export function makePrivateFolder(path: string): void {
  const isMade = mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined
  if (isMade) chmodSync(path, 0o700)
}

/** Lets only the owner read a SQLite database and the files beside it; makes a missing one. */
export function makeDatabasePrivate(path: string): void {
  // Where the folder is missing, SQLite reports it.
  unlessCode(['EEXIST', 'ENOENT'], () => closeSync(openSync(path, 'wx', 0o600)))
  // SQLite gives the files that it makes later the mode of the database, whatever the umask.
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`])
    unlessCode(['ENOENT'], () => chmodSync(file, 0o600))
}

/** The content of a file that only its owner may read; made the first time. */
export function readSecret(path: string, make: () => string): string {
  unlessCode(['EEXIST'], () => writeFileSync(path, make(), { flag: 'wx', mode: 0o600 }))
  chmodSync(path, 0o600)
  return readFileSync(path, 'utf8')
}

/** Errors with one of the codes are expected. */
function unlessCode(codes: string[], act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
