import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver, Write } from '@session-stores/core'
import { listed, sessionsAt } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import Database from 'better-sqlite3'
import { sqliteDriver } from '../../src/index.ts'

export const NOW = 1_700_000_000_000

/** Makes a folder that is removed after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
  after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Returns the path of a file that does not exist yet, in a new folder. */
export const newFile = (): string => join(newFolder(), 'sessions.db')

/**
 * Makes and sets up a driver that is closed after the test.
 *
 * @param timeLimit in milliseconds
 */
export async function driverOf(
  options: Parameters<typeof sqliteDriver>[0],
  timeLimit?: number,
): Promise<Driver> {
  const driver = sqliteDriver(options)
  after(() => driver.close())
  await driver.setup(timeLimit)
  return driver
}

/** Opens a connection beside the driver's, which is closed after the test. */
export function databaseOf(path: string, options?: Database.Options): Database.Database {
  const database = new Database(path, options)
  after(() => database.close())
  return database
}

let tags = 0

/** Returns a create of a session that began at `NOW` and lives for an hour, unless overridden. */
export function session(key: string, more?: Partial<Write>): Write {
  return sessionsAt(NOW)(key, { expect: '', tag: `tag-${++tags}`, ...more })
}

/** Creates the sessions with these keys, a thousand at a time. */
export async function fill(driver: Driver, keys: string[], more?: Partial<Write>): Promise<void> {
  for (let i = 0; i < keys.length; i += 1000)
    await driver.write(
      keys.slice(i, i + 1000).map((key) => session(key, more)),
      NOW,
    )
}

/** Returns the keys that the driver lists. */
export const keysIn = (driver: Driver, user?: string): Promise<string[]> => listed(driver, 1000, user)

/** Returns the error with which the work throws or rejects, if any. */
export async function failureOf(work: () => unknown): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
}

/** A process that the test has started. */
interface Child {
  child: ReturnType<typeof fork>
  /** Fulfils when the process ended without an error or was killed by the test. */
  ended: Promise<void>
  /** Returns the next message of the process. */
  message(): Promise<unknown>
}

/** Starts `process.ts`, which is killed after the test. */
export function start(job: string, path: string, ...more: (string | number)[]): Child {
  const args = [job, path, ...more].map(String)
  const child = fork(join(import.meta.dirname, 'process.ts'), args, { execArgv: [], silent: true })
  after(() => child.kill('SIGKILL'))
  let complaint = ''
  child.stderr!.on('data', (text) => {
    complaint += text
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    if (code !== 0 && !child.killed) throw new Error(`the process ended with ${code ?? signal}: ${complaint}`)
  })
  const message = () => Promise.race([once(child, 'message'), ended]).then((args) => args?.[0])
  return { child, ended, message }
}
