import { meant, type OptionHints } from '@session-stores/core'

const URL = meant('url', "'redis://user:password@host:6379/0', or a 'client' that has these options")
const CLIENT = meant('client', "an ioredis client or one of 'redis'")
const PREFIX = meant('prefix', "the begin of all keys, such as 'sess:'")

/** What to write in place of options of connect-redis, of other stores and of the clients. */
export const HINTS: OptionHints = {
  uri: URL,
  redisUrl: URL,
  connectionString: URL,
  conString: URL,
  mongoUrl: URL,
  host: URL,
  port: URL,
  password: URL,
  username: URL,
  db: URL,
  database: URL,
  socket: URL,
  path: URL,
  redis: CLIENT,
  redisClient: CLIENT,
  pool: CLIENT,
  clientPromise: `${meant('client')} Await the promise of it first.`,
  sentinels: meant('client', "new Redis({ sentinels, name }) of 'ioredis'"),
  cluster: meant('client', "new Cluster(nodes) of 'ioredis'"),
  nodes: meant('client', "new Cluster(nodes) of 'ioredis'"),
  keyPrefix: PREFIX,
  table: PREFIX,
  tableName: PREFIX,
  collection: PREFIX,
  collectionName: PREFIX,
  scanCount: 'leave it out: each step of a scan has a bounded size.',
}
