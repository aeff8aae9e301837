import { type Driver, type LegacyReader, memoryDriver, SessionStore } from '@session-stores/core'
import {
  betterSqlite3SessionStore,
  connectMongo as connectMongoReader,
  connectPgSimple,
  connectRedis,
  type MigrationReport,
  migrate,
} from '@session-stores/legacy'
import type { SessionData } from 'express-session'
import { EXIT, Failure, Interrupted } from '../failure.ts'
import { print, progress, tell } from '../output.ts'
import { describeError, type Run } from '../run.ts'
import type { Address, DatabaseId } from '../store/address.ts'
import { checkFile, connectMongo, MissingPlace, type OpenDriver, openDriver } from '../store/open.ts'
import { loadPackages } from '../store/packages.ts'
import { readSealKeys } from '../store/seal-keys.ts'
import { readSource, readTarget, type SourceFlags, type Target } from '../store/target.ts'
import type { FormatId } from './formats.ts'

/** The options of `migrate`. */
export interface MigrateFlags extends SourceFlags {
  from: FormatId
  sourcePlace?: string
  userPath?: string
  dryRun?: boolean
  keep?: boolean
  rate?: number
  json?: boolean
}

/** The database in which each of the other stores keeps its sessions. */
const DATABASE_OF: Readonly<Record<FormatId, DatabaseId>> = {
  'connect-redis': 'redis',
  'connect-mongo': 'mongodb',
  'connect-pg-simple': 'postgres',
  'better-sqlite3': 'sqlite',
}

/** A reader of the other store, and how to close what it uses. */
interface OpenReader {
  reader: LegacyReader
  close(): Promise<void>
}

/** Moves the sessions of another store in. */
export async function migrateSessions(flags: MigrateFlags, run: Run): Promise<number> {
  const target = await readTarget(flags)
  const source = readSource(flags)
  const { from, keep, dryRun, rate, json } = flags
  if (source.database !== DATABASE_OF[from])
    throw new Failure(`Sessions of ${from} are not in ${source.shown}. Name their database with --source.`)
  const { reader, close: closeReader } = await openReader(flags, source, target.timeout)
  try {
    const { store, close } = await openTarget(target, flags)
    try {
      progress.start()
      const onProgress = (so: MigrationReport & { total?: number }) => {
        run.ifInterrupted(leftover(so, flags))
        progress.show(seenIn(so), so.total, 'sessions')
      }
      run.ifInterrupted('Nothing was moved yet. Run the same command again to move the sessions.')
      const report = await migrate(store, reader, { keep, dryRun, rate, signal: run.signal, onProgress })
      if (run.signal.aborted) run.ifInterrupted(leftover(report, flags))
      await printReport(report, dryRun === true, json === true, run.signal.aborted)
      return report.unreadable > 0 ? EXIT.found : EXIT.done
    } finally {
      await close()
    }
  } catch (error) {
    if (error instanceof Failure || error instanceof Interrupted) throw error
    const advice = error instanceof TypeError ? '.' : ' What was moved stays. Run the same command again.'
    throw new Failure(describeError(error) + advice, EXIT.failed, error)
  } finally {
    await closeReader()
  }
}

const COUNTS = ['moved', 'present', 'ended', 'expired', 'unreadable'] as const

const seenIn = (report: MigrationReport): number => COUNTS.reduce((sum, name) => sum + report[name], 0)

/** The place where the rows go on (`next`) may hold an id, so it is not printed. Running again finds it. */
function leftover(report: MigrationReport, { dryRun }: MigrateFlags): string {
  if (dryRun) return `${seenIn(report)} sessions were counted, and nothing was written.`
  return `${report.moved} sessions were moved. Run the same command again to move the others.`
}

async function printReport(
  report: MigrationReport,
  isDry: boolean,
  isJson: boolean,
  isInterrupted: boolean,
): Promise<void> {
  const counts = Object.fromEntries(COUNTS.map((name) => [name, report[name]]))
  if (isJson) return print(JSON.stringify({ ...counts, dryRun: isDry, complete: !isInterrupted }))
  if (isInterrupted) return
  const { moved, present, ended, expired, unreadable } = report
  progress.clear()
  await print(`${moved} sessions ${isDry ? 'would be moved' : 'were moved'}.`)
  if (present > 0) await print(`${present} were in the store already.`)
  if (ended > 0) await print(`${ended} had been signed out.`)
  if (expired > 0) await print(`${expired} had expired.`)
  if (unreadable > 0)
    tell(`${unreadable} rows are no sessions that the store can hold. They stay where they are.`)
}

async function openReader(flags: MigrateFlags, source: Address, timeout: number): Promise<OpenReader> {
  const { url } = source
  const { from, sourcePlace: place } = flags
  switch (from) {
    case 'connect-redis': {
      const { Redis } = await loadPackages('redis')
      const client = new Redis(url, { connectTimeout: timeout, maxRetriesPerRequest: 1 })
      // The calls report why there is no connection.
      client.on('error', () => {})
      return { reader: connectRedis({ client, prefix: place }), close: async () => client.disconnect() }
    }
    case 'connect-mongo': {
      const client = await connectMongo({ url, timeout })
      const reader = connectMongoReader({ client, collectionName: place, ...cryptoOf() })
      return { reader, close: () => client.close() }
    }
    case 'connect-pg-simple': {
      const { Pool } = await loadPackages('postgres')
      const pool = new Pool({ connectionString: url, connectionTimeoutMillis: timeout, max: 8 })
      pool.on('error', () => {})
      const [table, schema] = place?.split('.').reverse() ?? []
      return {
        reader: connectPgSimple({ pool, tableName: table, schemaName: schema }),
        close: () => pool.end(),
      }
    }
    case 'better-sqlite3': {
      if (place !== undefined)
        throw new Failure("better-sqlite3-session-store has one table, 'sessions': leave --source-place out.")
      checkFile(url)
      const { Database } = await loadPackages('sqlite')
      const client = new Database(url, { fileMustExist: true, timeout })
      return { reader: betterSqlite3SessionStore({ client }), close: async () => void client.close() }
    }
  }
}

/** The secret with which connect-mongo encrypted its sessions. */
function cryptoOf(): { crypto?: { secret: string } } {
  const { SESSION_STORES_SOURCE_CRYPTO_SECRET: secret } = process.env
  return secret ? { crypto: { secret } } : {}
}

/** Opens the store, which needs what the application gives it: the keys of its seal, and its users. */
async function openTarget(target: Target, { dryRun, userPath }: MigrateFlags): Promise<OpenStore> {
  const keys = readSealKeys()
  const { driver, close } = await openPlace(target, dryRun === true)
  const store = new SessionStore(driver, {
    pruneInterval: false,
    operationTimeout: target.timeout,
    ...(keys && { seal: { keys } }),
    ...(userPath !== undefined && { user: (session: SessionData) => userAt(session, userPath) }),
  })
  return {
    store,
    async close() {
      await store.close()
      await close()
    },
  }
}

interface OpenStore {
  store: SessionStore
  close(): Promise<void>
}

/** Before the first start of the application there is no table, and a dry run must not make it. */
async function openPlace(target: Target, isDry: boolean): Promise<OpenDriver> {
  try {
    return await openDriver(target, !isDry)
  } catch (error) {
    if (!isDry || !(error instanceof MissingPlace)) throw error
    const driver: Driver = { ...memoryDriver(), name: target.database }
    return { driver, close: async () => driver.close() }
  }
}

/** Returns the user at a path such as `passport.user`. */
function userAt(session: SessionData, path: string): string | number | undefined {
  let value: unknown = session
  for (const name of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[name]
  return typeof value === 'string' || typeof value === 'number' ? value : undefined
}
