import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * Creates the folder so that only its owner can enter it. An existing folder keeps its mode because
 * others may use it.
 */
export function makePrivateFolder(path: string): void {
  const isMade = mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined
  if (isMade) chmodSync(path, 0o700)
}

/**
 * Lets only the owner access a SQLite database and the files beside it. Creates a missing database.
 */
export function makeDatabasePrivate(path: string): void {
  // If the folder is missing, SQLite reports the error later.
  ignoreCodes(['EEXIST', 'ENOENT'], () => closeSync(openSync(path, 'wx', 0o600)))
  // SQLite gives files that it creates later the mode of the database, whatever the umask is.
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`])
    ignoreCodes(['ENOENT'], () => chmodSync(file, 0o600))
}

/** Returns the content of a file that only its owner can read. Creates the file the first time. */
export function readSecret(path: string, make: () => string): string {
  ignoreCodes(['EEXIST'], () => writeFileSync(path, make(), { flag: 'wx', mode: 0o600 }))
  chmodSync(path, 0o600)
  return readFileSync(path, 'utf8')
}

/** Runs `act` and ignores errors with one of these codes. */
function ignoreCodes(codes: string[], act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
