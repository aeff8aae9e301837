import { closeSync, openSync, statSync } from 'node:fs'
import { timers } from '@session-stores/core'

const { setTimeout } = timers

/** How long a file that was deleted or replaced may go unnoticed, in milliseconds. */
const LOOK_EVERY = 1000

/**
 * Makes the file where it is missing, readable by its owner alone. SQLite gives `-wal` and `-shm`
 * the same mode. An existing file is never opened, because closing it would drop the locks that
 * other connections of this process have on it.
 */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // The file exists, or SQLite is about to report what is wrong.
  }
}

/** A file at a path. Notices when another file, or none, is at the path. */
export class WatchedFile {
  readonly #path: string
  readonly #known: Identity | undefined
  /** A timer sets this flag, because reading the clock would make each call 2 % slower. */
  #isDue = true

  constructor(path: string) {
    this.#path = path
    this.#known = identityOf(path)
  }

  /**
   * Whether the file was deleted or replaced. Looks at most once a second, unless `atOnce` is set
   * or the file was found to be gone.
   */
  isGone(atOnce?: boolean): boolean {
    if (!this.#isDue && !atOnce) return false
    const found = identityOf(this.#path)
    if (!found || found.ino !== this.#known?.ino || found.dev !== this.#known.dev) return true
    this.#isDue = false
    setTimeout(() => {
      this.#isDue = true
    }, LOOK_EVERY).unref()
    return false
  }
}

interface Identity {
  dev: number
  ino: number
}

/** Returns `undefined` where there is no file, or where this process may not look. */
function identityOf(path: string): Identity | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
