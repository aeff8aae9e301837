import { meant, type OptionHints } from '@session-stores/core'

const URL = meant('url', "'postgres://user:password@host:5432/database', or a 'pool' that has these options")
const POOL = meant('pool', 'a pg Pool')
const SCHEMA = meant('schema', 'its name')
const TABLE = meant('table', 'its name')

/** What to write in place of options of connect-pg-simple, of other stores and of pg. */
export const HINTS: OptionHints = {
  conString: URL,
  conObject: URL,
  connection: URL,
  connectionString: URL,
  uri: URL,
  mongoUrl: URL,
  host: URL,
  port: URL,
  password: URL,
  database: URL,
  ssl: URL,
  client: POOL,
  pgPromise: POOL,
  pgPool: POOL,
  knex: POOL,
  schemaName: SCHEMA,
  tableName: TABLE,
  tablename: TABLE,
  collection: TABLE,
  collectionName: TABLE,
  prefix: TABLE,
  createTableIfMissing: meant('createTable', 'true is its default'),
  createtable: meant('createTable', 'true is its default'),
}
