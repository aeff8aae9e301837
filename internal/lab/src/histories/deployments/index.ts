import { ServerUnavailableError } from '@session-stores/testbed'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { findGo } from '../checker.ts'
import { type Place, startPlace } from '../place.ts'
import { startCluster } from './cluster.ts'
import type { Deployment, DeploymentInfo } from './deployment.ts'
import { startFullRedis } from './full.ts'
import { startMongoReplicaSet } from './mongodb.ts'
import { startPooler, startStandby } from './postgres.ts'
import { startSentinel } from './sentinel.ts'
import { startSqliteProcesses } from './sqlite.ts'

export type DeploymentId =
  | 'mongodb-replica-set'
  | 'postgres-synchronous-standby'
  | 'postgres-asynchronous-standby'
  | 'pgbouncer'
  | 'redis-sentinel'
  | 'redis-sentinel-min-replicas'
  | 'redis-cluster'
  | 'redis-full'
  | 'sqlite-processes'

/** A database alone, or a deployment. */
export type AnyId = DatabaseId | DeploymentId

interface Entry extends DeploymentInfo {
  start(info: DeploymentInfo): Promise<Deployment>
}

/** All deployments by their ids. */
export const deployments: Readonly<Record<DeploymentId, Entry>> = {
  'mongodb-replica-set': {
    name: 'MongoDB replica set of three',
    database: 'mongodb',
    promised: 'kept',
    start: (info) => startMongoReplicaSet(info, ''),
  },
  'postgres-synchronous-standby': {
    name: 'PostgreSQL with a synchronous standby',
    database: 'postgres',
    promised: 'kept',
    start: (info) => startStandby(info, true),
  },
  'postgres-asynchronous-standby': {
    name: 'PostgreSQL with an asynchronous standby',
    database: 'postgres',
    promised: 'last moments',
    start: (info) => startStandby(info, false),
  },
  pgbouncer: {
    name: 'PgBouncer in transaction mode',
    database: 'postgres',
    promised: 'kept',
    start: startPooler,
  },
  'redis-sentinel': {
    name: 'Redis Sentinel, two replicas',
    database: 'redis',
    promised: 'last moments',
    start: (info) => startSentinel(info, []),
  },
  'redis-sentinel-min-replicas': {
    name: 'Redis Sentinel, two replicas, min-replicas-to-write 1',
    database: 'redis',
    promised: 'last moments',
    start: (info) => startSentinel(info, ['--min-replicas-to-write', '1']),
  },
  'redis-cluster': {
    name: 'Redis Cluster of three masters, each with a replica',
    database: 'redis',
    promised: 'last moments',
    start: startCluster,
  },
  'redis-full': {
    name: 'Redis with noeviction, whose memory is full for moments',
    database: 'redis',
    promised: 'kept',
    start: startFullRedis,
  },
  'sqlite-processes': {
    name: 'SQLite, several processes',
    database: 'sqlite',
    promised: 'kept',
    start: startSqliteProcesses,
  },
}

export const deploymentIds: readonly DeploymentId[] = Object.keys(deployments) as DeploymentId[]

/**
 * Starts a database alone, or a deployment.
 * @throws SERVER_UNAVAILABLE where there is no server, or no Go, with which the checker is built
 */
export async function startAny(id: AnyId): Promise<Place | Deployment> {
  if (!(id in deployments)) return startPlace(id as DatabaseId)
  if (findGo() === undefined)
    throw new ServerUnavailableError({ name: 'checker' }, ['it is built with Go, and go is not on PATH'])
  const { start, ...info } = deployments[id as DeploymentId]
  return start(info)
}
