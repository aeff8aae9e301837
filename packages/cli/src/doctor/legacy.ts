import type { Database } from 'better-sqlite3'
import type { Redis } from 'ioredis'
import type { Db } from 'mongodb'
import type { Client } from 'pg'
import type { Target } from '../store/target.ts'
import type { Examination } from './examination.ts'

// Sessions of other stores that lie beside ours: their ids are in clear, and nobody prunes them.

function checkLegacy(exam: Examination, store: string, places: readonly string[]): void {
  exam.check(
    `legacy/${store}`,
    places.length > 0,
    'warning',
    `Sessions of ${store} are left, whose ids can be used as they are stored: ${places.join(', ')}.`,
    `Move them with \`session-stores migrate --from ${store.replace('-session-store', '')}\`, or remove them once no application reads them.`,
  )
}

/** How many keys a search looks at. */
const SEARCHED = 10_000
/** The prefix of connect-redis, where it has no other one. */
const CONNECT_REDIS = 'sess:'

/** Searches for values of connect-redis, which are JSON, under its prefix and ours. */
export async function findConnectRedis(client: Redis, { prefix }: Target, exam: Examination): Promise<void> {
  const places: string[] = []
  try {
    for (const begin of new Set([CONNECT_REDIS, prefix]))
      if (await hasJson(client, begin)) places.push(`keys ${begin}*`)
  } catch (error) {
    return exam.skip(['legacy/connect-redis'], (error as Error).message)
  }
  checkLegacy(exam, 'connect-redis', places)
}

async function hasJson(client: Redis, begin: string): Promise<boolean> {
  const match = `${begin.replace(/[\\*?[\]]/g, '\\$&')}*`
  let cursor = '0'
  for (let seen = 0; seen < SEARCHED; seen += 500) {
    const [next, keys] = await client.scan(cursor, 'MATCH', match, 'COUNT', 500)
    // Indexes of ours are sorted sets, which have no first character.
    const firsts = await Promise.all(keys.map((key) => client.getrange(key, 0, 0).catch(() => '')))
    if (firsts.includes('{')) return true
    cursor = next
    if (cursor === '0') return false
  }
  return false
}

/** Searches for tables of connect-pg-simple by their columns, whatever their name. */
export async function findConnectPgSimple(client: Client, exam: Examination): Promise<void> {
  const { rows } = await client.query(
    `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS is_readable
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relkind IN ('r', 'p') AND a.attname IN ('sid', 'sess', 'expire')
     GROUP BY n.oid, n.nspname, c.oid, c.relname HAVING count(*) = 3 ORDER BY 1`,
  )
  const places: string[] = []
  for (const { name, is_readable } of rows) {
    if (!is_readable) continue
    const found = await client.query(`SELECT 1 FROM ${name} LIMIT 1`)
    if (found.rows.length > 0) places.push(`table ${name}`)
  }
  checkLegacy(exam, 'connect-pg-simple', places)
}

/** The collection of connect-mongo, where it has no other one. */
const CONNECT_MONGO = 'sessions'

/** Searches the oldest and the newest documents for those of connect-mongo. */
export async function findConnectMongo(db: Db, own: string, exam: Examination): Promise<void> {
  const places: string[] = []
  try {
    for (const name of new Set([CONNECT_MONGO, own])) {
      for (const $natural of [1, -1] as const) {
        const fields = { tag: 1, expires: 1, session: 1 }
        const found = db.collection(name).find({}, { projection: fields, limit: 500, sort: { $natural } })
        const documents = await found.toArray()
        const isLegacy = documents.some(({ tag, session }) => tag === undefined && session !== undefined)
        if (isLegacy && places.at(-1) !== `collection ${name}`) places.push(`collection ${name}`)
      }
    }
  } catch {
    return exam.skip(['legacy/connect-mongo'], 'the user may not read the collection')
  }
  checkLegacy(exam, 'connect-mongo', places)
}

/** Searches for tables of better-sqlite3-session-store by their columns. */
export function findBetterSqlite3(database: Database, exam: Examination): void {
  const names = database
    .prepare(
      `SELECT m.name FROM sqlite_schema m, pragma_table_info(m.name) c
       WHERE m.type = 'table' AND c.name IN ('sid', 'sess', 'expire') GROUP BY m.name HAVING count(*) = 3`,
    )
    .pluck()
    .all() as string[]
  const filled = names.filter(
    (name) => database.prepare(`SELECT 1 FROM "${name.replaceAll('"', '""')}" LIMIT 1`).get() !== undefined,
  )
  checkLegacy(
    exam,
    'better-sqlite3-session-store',
    filled.map((name) => `table ${name}`),
  )
}
