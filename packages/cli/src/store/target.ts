import { Failure, Interrupted } from '../failure.ts'
import { type Address, DATABASES, type DatabaseId, hasPassword, readAddress } from './address.ts'

/** The options of the command line that say where the sessions are. */
export interface StoreFlags {
  store?: string
  prefix?: string
  schema?: string
  table?: string
  database?: string
  collection?: string
  plainIds?: boolean
  timeout?: number
  askPassword?: boolean
}

/** Where the sessions are. */
export interface Target extends Address {
  readonly prefix: string
  readonly schema: string
  readonly table: string
  /** The database of MongoDB, where it is not the one of the URL. */
  readonly mongoDatabase: string | undefined
  readonly collection: string
  /** Whether ids are stored as they are (`hashIds: false`). */
  readonly plainIds: boolean
  /** How long one call may take, in milliseconds. */
  readonly timeout: number
}

/** Where another store keeps its sessions. */
export interface SourceFlags extends StoreFlags {
  source?: string
}

/**
 * Finds out where the other store is: at `--source`, or at `SESSION_STORES_SOURCE_URL`, or in the
 * database of the store itself.
 *
 * @throws Failure as `readTarget` does.
 */
export function readSource({ source, store }: SourceFlags): Address {
  const { SESSION_STORES_SOURCE_URL, SESSION_STORES_SOURCE_PASSWORD } = process.env
  if (source !== undefined && hasPassword(source))
    throw passwordInArguments('--source', 'SESSION_STORES_SOURCE')
  const url = source ?? SESSION_STORES_SOURCE_URL
  if (url) return readAddress(url, SESSION_STORES_SOURCE_PASSWORD || undefined)
  const own = store ?? process.env.SESSION_STORES_URL ?? ''
  return readAddress(own, process.env.SESSION_STORES_PASSWORD || undefined)
}

/** Which options belong to which database. */
const PLACES: Readonly<Record<DatabaseId, readonly string[]>> = {
  redis: ['prefix'],
  postgres: ['schema', 'table'],
  mongodb: ['database', 'collection'],
  sqlite: ['table'],
}

/** How long a call may take by default, in milliseconds. */
export const TIMEOUT = 5000

/**
 * Finds out where the sessions are, from the command line and the environment.
 *
 * @throws Failure where they do not say it, or where a password is on the command line.
 */
export async function readTarget(flags: StoreFlags): Promise<Target> {
  const { SESSION_STORES_URL, SESSION_STORES_PASSWORD } = process.env
  if (flags.store !== undefined && hasPassword(flags.store))
    throw passwordInArguments('--store', 'SESSION_STORES')
  const url = flags.store ?? SESSION_STORES_URL
  if (!url)
    throw new Failure('No store is given. Write --store redis://host:6379, or set SESSION_STORES_URL.')
  const password = flags.askPassword ? await askFor('Password: ') : SESSION_STORES_PASSWORD || undefined
  const address = readAddress(url, password)
  checkPlaces(flags, address.database)
  return {
    ...address,
    prefix: flags.prefix ?? 'sess:',
    schema: flags.schema ?? 'public',
    table: flags.table ?? 'sessions',
    mongoDatabase: flags.database,
    collection: flags.collection ?? 'sessions',
    plainIds: flags.plainIds === true,
    timeout: flags.timeout ?? TIMEOUT,
  }
}

/** Every user of the machine sees the arguments of a process, and shells keep them in a file. */
function passwordInArguments(option: string, variable: string): Failure {
  return new Failure(
    `The URL of ${option} holds a password, which every user of this machine can see in the list of processes. ` +
      `Set ${variable}_URL to the whole URL, or leave the password out of the URL and set ${variable}_PASSWORD.`,
  )
}

function checkPlaces(flags: StoreFlags, database: DatabaseId): void {
  for (const option of new Set(Object.values(PLACES).flat())) {
    if (flags[option as keyof StoreFlags] === undefined || PLACES[database].includes(option)) continue
    const own = PLACES[database].map((name) => `--${name}`).join(' and ')
    throw new Failure(`${DATABASES[database]} has no --${option}. It takes ${own}.`)
  }
}

async function askFor(prompt: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new Failure('--ask-password needs a terminal. Set SESSION_STORES_PASSWORD instead.')
  const { read } = await import('read')
  try {
    return await read({ prompt, silent: true, output: process.stderr })
  } catch {
    throw new Interrupted()
  }
}

/** Returns where the sessions are, in words that may be printed. */
export function placeOf(target: Target): string {
  const { database, shown, prefix, schema, table, mongoDatabase, collection } = target
  const place = {
    redis: `prefix ${prefix}`,
    postgres: `table ${schema}.${table}`,
    mongodb: `collection ${mongoDatabase === undefined ? '' : `${mongoDatabase}.`}${collection}`,
    sqlite: `table ${table}`,
  }[database]
  return `${DATABASES[database]} at ${shown}, ${place}`
}
