import { existsSync, statSync } from 'node:fs'
import { Failure } from '../failure.ts'
import { keepSecret } from '../secrets.ts'

/** The databases, by the ids that their packages have. */
export type DatabaseId = 'redis' | 'postgres' | 'mongodb' | 'sqlite'

/** The names of the databases in messages. */
export const DATABASES: Readonly<Record<DatabaseId, string>> = {
  redis: 'Redis',
  postgres: 'PostgreSQL',
  mongodb: 'MongoDB',
  sqlite: 'SQLite',
}

/** Where a database is. */
export interface Address {
  readonly database: DatabaseId
  /** The URL with its password, or the path of a file. It is never printed. */
  readonly url: string
  /** What may be printed: the URL without user and password, or the path. */
  readonly shown: string
}

const SCHEMES: Readonly<Record<string, DatabaseId>> = {
  redis: 'redis',
  rediss: 'redis',
  postgres: 'postgres',
  postgresql: 'postgres',
  mongodb: 'mongodb',
  'mongodb+srv': 'mongodb',
  sqlite: 'sqlite',
}

/** Clients take passwords from these parameters, too. */
const PASSWORD_PARAMETER = /[?&](?:password|pass|tlsCertificateKeyFilePassword)=[^&]/i
/** A URL may name several hosts, which the `URL` of JavaScript refuses. */
const AUTHORITY = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#]*)@)?/i

/** Whether the text is a URL that holds a password. */
export function hasPassword(url: string): boolean {
  const [, , userinfo = ''] = AUTHORITY.exec(url) ?? []
  return /:./s.test(userinfo) || PASSWORD_PARAMETER.test(url)
}

/**
 * Reads a URL of `--store` or of the environment. `password` goes into a URL that has none.
 *
 * @throws Failure for a URL of no database that has a store.
 */
export function readAddress(text: string, password?: string): Address {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase()
  const database = scheme === undefined ? databaseOfPath(text) : SCHEMES[scheme]
  if (database === undefined)
    throw new Failure(
      `${scheme === undefined ? 'This is not the URL of a store' : `A URL that begins with '${scheme}:' is of no store`}. ` +
        'Write redis://host:6379, rediss://…, postgres://user@host/database, mongodb://host/database ' +
        'or sqlite:path/of/sessions.db.',
    )
  if (database === 'sqlite') {
    const path = scheme === undefined ? text : text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
    if (path === '' || path.startsWith('//'))
      throw new Failure('Name the file: sqlite:sessions.db, or sqlite:/folder/sessions.db.')
    return { database, url: path, shown: path }
  }
  const url = password === undefined ? text : withPassword(text, password)
  keepSecretsOf(url)
  return { database, url, shown: withoutCredentials(url) }
}

/** A file is SQLite's, and a socket is Redis'. */
function databaseOfPath(path: string): DatabaseId | undefined {
  const [file = ''] = path.split('?')
  if (!existsSync(file)) return /\.(db|sqlite3?)$/.test(file) ? 'sqlite' : undefined
  return statSync(file).isSocket() ? 'redis' : 'sqlite'
}

function withPassword(url: string, password: string): string {
  keepSecret(password)
  const [, scheme, userinfo] = AUTHORITY.exec(url) ?? []
  if (scheme === undefined)
    throw new Failure('A password needs a URL such as redis://host, not the path of a socket.')
  if (hasPassword(url))
    throw new Failure(
      'The password is given twice: in the URL, and in SESSION_STORES_PASSWORD or by the prompt.',
    )
  const user = (userinfo ?? '').replace(/:$/, '')
  const rest = url.slice(`${scheme}://`.length + (userinfo === undefined ? 0 : userinfo.length + 1))
  return `${scheme}://${user}:${encodeURIComponent(password)}@${rest}`
}

function keepSecretsOf(url: string): void {
  if (!hasPassword(url)) return
  keepSecret(url)
  const [, , userinfo = ''] = AUTHORITY.exec(url) ?? []
  const password = userinfo.slice(userinfo.indexOf(':') + 1)
  if (!userinfo.includes(':')) return
  keepSecret(password)
  try {
    keepSecret(decodeURIComponent(password))
  } catch {
    // The client refuses such a URL.
  }
}

/** Parameters may hold secrets, too, so they are left out. */
function withoutCredentials(url: string): string {
  return url.replace(AUTHORITY, '$1://').replace(/[?#].*$/s, '')
}
