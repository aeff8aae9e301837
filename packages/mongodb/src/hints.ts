import { meant, type OptionHints } from '@session-stores/core'

const URL = meant('url', "'mongodb://user:password@host:27017/app', or a 'client' that has these options")
const DATABASE = meant('database', 'its name')
const COLLECTION = meant('collection', 'its name')
const CONCERN = "put it into the 'url', such as ?w=majority, or give a 'client' that has it."

/** What to write in place of options of connect-mongo, of other stores and of the client. */
export const HINTS: OptionHints = {
  mongoUrl: URL,
  mongoUri: URL,
  uri: URL,
  connectionString: URL,
  conString: URL,
  host: URL,
  port: URL,
  password: URL,
  username: URL,
  mongoOptions: URL,
  clientPromise: `${meant('client')} Await the promise of it first.`,
  mongoClient: meant('client', 'a MongoClient'),
  pool: meant('client', 'a MongoClient'),
  connection: meant('client', 'connection.getClient() of mongoose'),
  mongooseConnection: meant('client', 'mongooseConnection.getClient()'),
  mongoose: meant('client', 'mongoose.connection.getClient()'),
  dbName: DATABASE,
  db: DATABASE,
  databaseName: DATABASE,
  collectionName: COLLECTION,
  table: COLLECTION,
  tableName: COLLECTION,
  prefix: COLLECTION,
  writeConcern: CONCERN,
  writeOperationOptions: CONCERN,
  createAutoRemoveIdx: 'leave it out: the store makes its indexes.',
  timestamps: 'leave it out: list() returns when each session was created.',
}
