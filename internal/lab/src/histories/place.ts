import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type FaultyProxy,
  mongoReplicaSet,
  type ProcessServer,
  postgresProcess,
  redisProcess,
  ServerUnavailableError,
  startProxy,
} from '@session-stores/testbed'
import type { DatabaseId, ServerDatabaseId } from '@session-stores/testbed/databases'
import { toDirectUrl } from '../servers.ts'
import { findGo } from './checker.ts'

/** A database whose server and network can be disturbed. A SQLite file has neither. */
export interface Place extends AsyncDisposable {
  readonly database: DatabaseId
  readonly version: string
  /** Where the server comes from, for the reporter of the tests. */
  readonly source: 'path' | 'fetched'
  /** The URL that bypasses the faulty network. */
  readonly direct: string
  /** The URL through the faulty network. */
  readonly through: string
  /** The same for a client with few connections, where the URL says how many. */
  readonly throughFew?: string
  readonly server?: ProcessServer
  readonly proxy?: FaultyProxy
}

/** @throws SERVER_UNAVAILABLE where there is no server, or no Go, with which the checker is built */
export async function startPlace(database: DatabaseId): Promise<Place> {
  if (findGo() === undefined)
    throw new ServerUnavailableError({ name: 'checker' }, ['it is built with Go, and go is not on PATH'])
  if (database === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'histories-'))
    const path = join(folder, 'sessions.db')
    return {
      database,
      version: 'sqlite',
      source: 'path',
      direct: path,
      through: path,
      [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
    }
  }
  // A Redis that is killed keeps what it has acknowledged only with an append-only file.
  const server =
    database === 'redis'
      ? await redisProcess({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
      : await startSmall(database)
  const proxy = await startProxy(server)
  const direct = toDirectUrl(database, server)
  return {
    database,
    version: server.version,
    source: server.source,
    direct,
    through: proxy.through(direct),
    ...(database === 'mongodb' && { throughFew: `${proxy.through(direct)}&maxPoolSize=4` }),
    server,
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy.stop()
      await server.stop()
    },
  }
}

/** Starts a server that accepts few connections, so that a fault can use them up. */
function startSmall(database: Exclude<ServerDatabaseId, 'redis'>): Promise<ProcessServer> {
  return database === 'postgres'
    ? postgresProcess({ args: ['-c', 'max_connections=60'] })
    : mongoReplicaSet({ args: ['--maxConns', '600'] })
}
