import { mongoReplicaSet, type ProcessServer, postgresProcess, redisProcess } from '@session-stores/testbed'
import type { DatabaseId, ServerDatabaseId } from '@session-stores/testbed/databases'

const starters: Readonly<Record<ServerDatabaseId, () => Promise<ProcessServer>>> = {
  redis: () => redisProcess(),
  mongodb: () => mongoReplicaSet(),
  postgres: () => postgresProcess(),
}

/**
 * Starts a server of this database.
 * @throws SERVER_UNAVAILABLE
 */
export function startServer(database: ServerDatabaseId): Promise<ProcessServer> {
  return starters[database]()
}

/**
 * Returns the URL of this server alone. It must not name a replica set, because clients would
 * continue at the address of the set's member and so bypass a proxy.
 */
export function toDirectUrl(database: DatabaseId, { url }: Pick<ProcessServer, 'url'>): string {
  return database === 'mongodb' ? `${url.split('?')[0]}?directConnection=true` : url
}
