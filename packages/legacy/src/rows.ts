import {
  type LegacyPage,
  type LegacyReader,
  type LegacyRow,
  type LegacySession,
  SessionStoreError,
} from '@session-stores/core'
import type { SessionData } from 'express-session'
import { toError } from './errors.ts'

/** What all readers share: what makes a row a session, and a sample that shows a wrong reader. */

/** How many rows `check` looks at. */
const SAMPLE = 100
/** Fewer rows that cannot be read may be what is left in the end; so many show a mistake. */
export const ENOUGH = 10

/** The hint for an option of another store that decides what it writes. */
export const ONLY_READ = 'leave it out: the rows of that store are only read and removed.'

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @throws CORRUPT where the value is no session with a cookie. */
export function toSession(name: string, value: unknown): SessionData {
  if (isObject(value) && isObject((value as { cookie?: unknown }).cookie)) return value as SessionData
  throw new SessionStoreError('CORRUPT', `${name}: a row holds no session with a cookie`)
}

/**
 * Runs the application's or the package's own parser. Its error may quote the text, so it is no
 * cause.
 *
 * @throws CORRUPT
 */
export async function parseWith<T>(
  name: string,
  parse: (text: string) => T,
  text: string,
): Promise<Awaited<T>> {
  try {
    return await parse(text)
  } catch {
    throw new SessionStoreError('CORRUPT', `${name}: a row cannot be parsed`)
  }
}

/** Returns the row of a scan, with the error of a row that is no session. */
export async function toRow(id: string, read: () => Promise<LegacySession>): Promise<LegacyRow> {
  try {
    return { id, found: await read() }
  } catch (error) {
    if (error instanceof SessionStoreError && isUnreadable(error)) return { id, error }
    throw error
  }
}

const isUnreadable = ({ code }: SessionStoreError): boolean => code === 'CORRUPT' || code === 'SEAL_BROKEN'

/** The parts of a reader that differ from package to package. */
export interface Parts extends Omit<LegacyReader, 'check'> {
  /** What to look at where none of many rows can be read, for the message. */
  readonly hint: string
  /** Looks at the rows of a sample that can be read. */
  inspect?(rows: readonly LegacySession[]): void
  /** Rejects where the place of the rows is missing. */
  find?(): Promise<void>
}

/** Makes a reader. Every error of the client becomes an error of the stores. */
export function makeReader(parts: Parts): LegacyReader {
  const { name } = parts
  async function guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toError(name, error)
    }
  }
  const scan: LegacyReader['scan'] = (query) => guard(() => parts.scan(query))

  return {
    name,
    refuse: (driver) => parts.refuse(driver),
    read: (id, now) => guard(() => parts.read(id, now)),
    delete: (id) => guard(() => parts.delete(id)),
    scan,
    count: () => guard(() => parts.count()),
    async check(now) {
      await guard(async () => parts.find?.())
      const { rows }: LegacyPage = await scan({ limit: SAMPLE, now })
      const errors = rows.flatMap(({ error }) => error ?? [])
      const sessions = rows.flatMap(({ found }) => found ?? [])
      if (errors.length >= ENOUGH && sessions.length === 0) {
        const isSealed = errors.every(({ code }) => code === 'SEAL_BROKEN')
        const message = `none of the first ${errors.length} rows is a readable session of ${name}: ${parts.hint}`
        throw new SessionStoreError(isSealed ? 'SEAL_BROKEN' : 'BAD_STORAGE', message)
      }
      parts.inspect?.(sessions)
    },
  }
}
