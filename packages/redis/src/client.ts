import type { ConnectionOptions } from 'node:tls'
import { refuseFragment } from '@session-stores/core'
import { Redis, type RedisOptions as RedisSettings } from 'ioredis'

/**
 * The part of an ioredis `Redis` or `Cluster` that the driver uses. It is declared here, so that no
 * version of ioredis is forced on you.
 */
export interface RedisClient extends RedisNode {
  /** Set on a `Cluster`. */
  readonly isCluster?: boolean | undefined
  nodes?(role: 'master' | 'all'): RedisNode[]
  /** Clients of node-redis have this method: it returns the connected master of a slot. */
  masterOf?(slot: number): RedisNode | undefined
}

/** One server of a cluster, or the only one. */
export interface RedisNode {
  readonly options?:
    | {
        readonly host?: string | undefined
        readonly port?: number | undefined
        readonly keyPrefix?: string | undefined
      }
    | undefined
  readonly stream?: { cork(): void; uncork(): void; destroy?(error?: Error): unknown } | null | undefined
  call(command: string, ...args: (string | number)[]): Promise<unknown>
  /**
   * The driver counts the connections that break, so that it knows which calls the client may have
   * sent twice.
   */
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

/** Whether the value has the methods of an ioredis client. */
export const isRedisClient = (value: unknown): boolean =>
  ['call', 'on'].every((name) => typeof (value as never)?.[name] === 'function')

/**
 * Whether ioredis can use the value as a URL, or as the path of a socket. Returns what is wrong where
 * it can say more.
 */
export function isRedisUrl(value: unknown): boolean | string {
  if (typeof value !== 'string' || value === '') return false
  if (/^\/[^/]/.test(value)) return isDatabase(new URLSearchParams(value.split('?')[1]).get('db') ?? '')
  const refusal = refuseFragment(value)
  if (refusal !== undefined) return refusal
  // ioredis adds this scheme where there is none.
  const hasScheme = /^(rediss?:)?\/\//.test(value)
  const url = hasScheme ? value.replace(/^\/\//, 'redis://') : `redis://${value}`
  if (!URL.canParse(url)) return false
  const { username, password, pathname } = new URL(url)
  try {
    decodeURIComponent(username + password)
  } catch {
    return false
  }
  return hasScheme ? isDatabase(pathname.slice(1)) : pathname.length < 2
}

const isDatabase = (text: string): boolean => /^\d*$/.test(text)

/**
 * Makes the driver's own client. It connects when it is told to, and sends nothing twice.
 *
 * @param maxLoadingRetryTime how long to wait for a server that loads its data before the next try,
 * in milliseconds
 */
export function createClient(
  url: string,
  tls: ConnectionOptions | undefined,
  maxLoadingRetryTime: number,
): Redis {
  const settings: RedisSettings = {
    ...(tls && { tls }),
    lazyConnect: true,
    // The driver limits an attempt until the connection is checked, not only until it is made.
    connectTimeout: 0,
    maxLoadingRetryTime,
    // With these, a connection that breaks ends, and every call that waits for an answer fails.
    retryStrategy: () => null,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // After a failover the address may lead to another server, but not on this connection.
    reconnectOnError: (error) => /\bREADONLY\b/.test(error.message),
  }
  return new Redis(url, settings)
}

/**
 * Makes calls that leave at once: one write to each server of a cluster, instead of one per call.
 */
export function sendTogether<T>(client: RedisClient, calls: () => T): T {
  const streams = client.nodes?.('master').map(({ stream }) => stream) ?? []
  for (const stream of streams) stream?.cork()
  try {
    return calls()
  } finally {
    for (const stream of streams) stream?.uncork()
  }
}
