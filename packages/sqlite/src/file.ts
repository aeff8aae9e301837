import { closeSync, openSync, statSync } from 'node:fs'
import { timers } from '@session-stores/core'

const { setTimeout } = timers

/** In milliseconds: how long a file that was deleted or replaced may go unnoticed. */
const LOOK_EVERY = 1000

/**
 * Makes the file where it is missing, for its owner alone; SQLite gives `-wal` and `-shm` the same mode. Never opens
 * a file that is there: closing it would drop the locks that other connections of this process have on it.
 */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // It is there already, or SQLite says in a moment what is wrong.
  }
}

/** A file by its path: notices that another one, or none, is there now. */
export class WatchedFile {
  readonly #path: string
  readonly #known: Identity | undefined
  /** A timer says so: a call that read the clock would cost a fiftieth more. */
  #isDue = true

  constructor(path: string) {
    this.#path = path
    this.#known = identityOf(path)
  }

  /** Looks at most once a second, until it is so, or `atOnce`. */
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

/** Nothing where there is no file, or where nobody may tell. */
function identityOf(path: string): Identity | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
