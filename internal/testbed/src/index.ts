export { selfSigned } from './certificate.ts'
export { type ClusterOptions, type RedisCluster, redisCluster } from './cluster.ts'
export { canMount, type Disk, mountDisk } from './disk.ts'
export { ask, type MongoOptions, mongoBinary, mongoProcess, mongoServer } from './mongodb.ts'
export { type PgbouncerOptions, pgbouncer } from './pgbouncer.ts'
export { reservePort } from './port.ts'
export { type PostgresOptions, postgresBinary, postgresProcess, postgresServer } from './postgres.ts'
export { postgresServers } from './postgres-versions.ts'
export type { Binary } from './process.ts'
export { ifThere, processesOf, sendSignal } from './process-tree.ts'
export { type Aim, type Chaos, type Direction, type FaultyProxy, startProxy, type Target } from './proxy.ts'
export { randomFrom } from './random.ts'
export {
  oldestRedisBinary,
  type RedisOptions,
  redisBinary,
  redisProcess,
  redisServer,
  valkeyBinary,
  valkeyProcess,
} from './redis.ts'
export { type MongoReplicaSet, mongoReplicaSet, type ReplicaSetOptions } from './replica-set.ts'
export { type RedisSentinel, redisSentinel, type SentinelOptions } from './sentinel.ts'
export { type ProcessServer, ServerUnavailableError, type Source, type TestServer } from './server.ts'
export { moveRandomSlot, SlotMove } from './slot-move.ts'
export { findCommand } from './sources.ts'
export { type PairOptions, type PostgresPair, postgresPair } from './standby.ts'
export { unprivileged } from './user.ts'
