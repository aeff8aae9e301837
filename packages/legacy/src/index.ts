export {
  type BetterSqlite3SessionStoreOptions,
  betterSqlite3SessionStore,
  type LegacyDatabase,
} from './better-sqlite3-session-store.ts'
export { type ConnectMongoOptions, connectMongo, type LegacyMongoClient } from './connect-mongo.ts'
export { type ConnectPgSimpleOptions, connectPgSimple, type LegacyPool } from './connect-pg-simple.ts'
export { type ConnectRedisOptions, connectRedis } from './connect-redis.ts'
export type { KrupteinOptions } from './kruptein.ts'
export { type MigrateOptions, type MigrationReport, migrate } from './migrate.ts'
export type { AnyRedisClient } from './redis-client.ts'
