import { titleOf } from '../pages.ts'
import { type Option, readOptions } from './read.ts'

/** Writes the page of all options, docs/reference/options.md. */

/** The sections of the page, and the types whose options they list. */
const SECTIONS: readonly (readonly [heading: string, file: string, type: string])[] = [
  ['Every store', 'packages/core/src/options.ts', 'StoreOptions'],
  ['RedisStore', 'packages/redis/src/index.ts', 'RedisOptions'],
  ['PostgresStore', 'packages/postgres/src/index.ts', 'PostgresOptions'],
  ['MongoStore', 'packages/mongodb/src/index.ts', 'MongoOptions'],
  ['SqliteStore', 'packages/sqlite/src/index.ts', 'SqliteOptions'],
  ['The option seal', 'packages/core/src/encoding/seal.ts', 'SealOptions'],
  ['The option legacy', 'packages/core/src/legacy.ts', 'LegacyOptions'],
  ['store.list', 'packages/core/src/session/directory.ts', 'ListOptions'],
  ['store.revokeUser', 'packages/core/src/session/directory.ts', 'RevokeOptions'],
  ['sessions', 'packages/express/src/http/preset-options.ts', 'SessionsOptions'],
  ['signIn', 'packages/express/src/http/sign-in.ts', 'SignInOptions'],
  ['signOut', 'packages/express/src/http/sign-in.ts', 'SignOutOptions'],
  ['sameOrigin', 'packages/express/src/http/origin.ts', 'SameOriginOptions'],
  ['passportSessions', 'packages/express/src/http/passport.ts', 'PassportSessionsOptions'],
  ['authenticate', 'packages/express/src/http/authenticator.ts', 'AuthenticateOptions'],
  ['tokenRoutes', 'packages/express/src/http/token-endpoints.ts', 'TokenRoutesOptions'],
  ['Tokens', 'packages/token/src/options.ts', 'TokensOptions'],
  ['connectRedis', 'packages/legacy/src/connect-redis.ts', 'ConnectRedisOptions'],
  ['connectMongo', 'packages/legacy/src/connect-mongo.ts', 'ConnectMongoOptions'],
  ['connectPgSimple', 'packages/legacy/src/connect-pg-simple.ts', 'ConnectPgSimpleOptions'],
  [
    'betterSqlite3SessionStore',
    'packages/legacy/src/better-sqlite3-session-store.ts',
    'BetterSqlite3SessionStoreOptions',
  ],
  ['migrate', 'packages/legacy/src/migrate.ts', 'MigrateOptions'],
]

/** The units of the options that take numbers. */
const UNITS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['idleTimeout', 'absoluteTimeout', 'touchAfter', 'tombstoneTimeout', 'pruneInterval'],
      ...['operationTimeout', 'maxAge', 'lifetime', 'freshness', 'grace', 'familyIdle', 'familyLifetime'],
    ].map((name) => [name, 'milliseconds']),
  ),
  now: 'epoch milliseconds',
  maxPayload: 'bytes',
  cacheBytes: 'bytes',
  maxQueue: 'calls',
  limit: 'sessions',
  keepNewest: 'sessions',
  cacheSize: 'entries',
  rate: 'rows per second',
}

/** Whether an option takes a number, and not a function or a list of something. */
const isNumber = (type: string): boolean => /\bnumber\b/.test(type) && !/=> (?!number)/.test(type)

/** @throws Error for an option that takes a number and has no unit. */
export function unitOf({ name, type }: Pick<Option, 'name' | 'type'>): string {
  const unit = UNITS[name]
  // The id of a user may be a number, and a format has one: they count nothing.
  if (isNumber(type) && unit === undefined && !['user', 'formatVersion'].includes(name))
    throw new Error(`the option ${name} takes a number: write its unit into ${import.meta.filename}`)
  return isNumber(type) ? (unit ?? '') : ''
}

/** Text for a cell of a table. */
const cell = (text: string): string => text.replaceAll('|', '\\|')

/** Replaces the path of a page, as a docstring names it, by a link with the title of the page. */
const linkPages = (text: string): string =>
  text.replaceAll(/docs\/([\w/-]+\.md)/g, (file, page) => `[${titleOf(file)}](../${page})`)

/** What an option is where it is left out. */
function presetOf({ preset, isRequired, alternatives }: Option): string {
  if (alternatives.length > 0) return `this or ${alternatives.map((name) => `\`${name}\``).join(', ')}`
  if (preset === undefined) return isRequired ? 'required' : ''
  return preset.replace(/^(\d[\d_]*|'[^']*'|true|false|\[.*\]|Date\.now)(?= |$)/, '`$1`')
}

function row(option: Option): string {
  const { name, type, meaning } = option
  const unit = unitOf(option)
  const shown = type === 'User' ? 'string | number' : type
  return `| \`${name}\` | \`${cell(shown)}\`${unit && `, ${unit}`} | ${cell(presetOf(option))} | ${cell(linkPages(meaning))} |`
}

/** Returns the page. */
export function writeReference(): string {
  const sections = SECTIONS.map(([heading, file, type]) => {
    const { meaning, options } = readOptions(file, type)
    const rows = options.map(row).join('\n')
    return `## ${heading}\n\n${meaning}\n\n| option | type | default | meaning |\n|---|---|---|---|\n${rows}\n`
  })
  const command = '<!-- npx -y pnpm@12 reference -->'
  const intro =
    'Every option with its type, its unit and its default, from the docstrings of the sources. Options of a store and ' +
    'of its database go into one object. `undefined` counts as left out. A wrong option is a `TypeError` at construction.'
  return `# All options\n\n${command}\n\n${intro}\n\n${sections.join('\n')}`
}
