import { meant, type OptionHints } from '@session-stores/core'

const PATH = meant('path', 'the path of a file')
const DATABASE = meant('database', "new Database(file) of 'better-sqlite3'")
const TABLE = meant('table', 'its name')

/** What to write in place of options of other stores on SQLite, and of other stores. */
export const HINTS: OptionHints = {
  url: PATH,
  uri: PATH,
  file: PATH,
  filename: PATH,
  fileName: PATH,
  dbPath: PATH,
  dir: PATH,
  conString: PATH,
  host: PATH,
  client: DATABASE,
  db: DATABASE,
  driver: DATABASE,
  connection: DATABASE,
  knex: DATABASE,
  pool: DATABASE,
  tableName: TABLE,
  collection: TABLE,
  collectionName: TABLE,
  prefix: TABLE,
}
