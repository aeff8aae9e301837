export { type ClusterOptions, type RedisCluster, redisCluster } from './cluster.ts'
export {
  type MongoOptions,
  mongoBinary,
  mongoProcess,
  mongoReplicaSet,
  mongoServer,
} from './mongodb.ts'
export { type PostgresOptions, postgresBinary, postgresProcess, postgresServer } from './postgres.ts'
export type { Binary } from './process.ts'
export { type RedisOptions, redisBinary, redisProcess, redisServer } from './redis.ts'
export { type RedisSentinel, redisSentinel, type SentinelOptions } from './sentinel.ts'
export { type ProcessServer, ServerUnavailableError, type Source, type TestServer } from './server.ts'
