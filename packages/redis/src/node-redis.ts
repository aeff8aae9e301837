import type { RedisClient } from './client.ts'

/** The part of every client of node-redis that the driver uses. */
export interface NodeRedisBase {
  readonly isOpen: boolean
  on(event: string, listener: (...args: unknown[]) => void): unknown
  /** Node-redis has this method since version 5. */
  withTypeMapping(mapping: object): unknown
}

/** The part of a node-redis client (`createClient`) that the driver uses. */
export interface NodeRedisClient extends NodeRedisBase {
  readonly isReady: boolean
  connect(): Promise<unknown>
  destroy(): unknown
  sendCommand(args: string[], options?: object): Promise<unknown>
  duplicate(): unknown
}

/** The part of a node-redis cluster (`createCluster`) that the driver uses. */
export interface NodeRedisCluster extends NodeRedisBase {
  /** Node-redis tells since version 6.3. */
  readonly isReady?: boolean
  readonly masters: readonly NodeRedisMaster[]
  /** The master of each slot, as far as the client knows. */
  readonly slots: readonly ({ readonly master: NodeRedisMaster } | undefined)[]
  nodeClient(master: NodeRedisMaster): NodeRedisNode | Promise<NodeRedisNode>
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
    options?: object,
  ): Promise<unknown>
}

/** A master of a node-redis cluster. */
export interface NodeRedisMaster {
  readonly host: string
  readonly port: number
  readonly client?: { readonly isReady: boolean } | undefined
}

/** The client of one server of a node-redis cluster, or behind a node-redis sentinel client. */
export interface NodeRedisNode {
  readonly isReady: boolean
  connect(): Promise<unknown>
  destroy(): unknown
  on(event: string, listener: (...args: unknown[]) => void): unknown
  sendCommand(args: string[], options?: object): Promise<unknown>
}

/** The part of a node-redis sentinel client (`createSentinel`) that the driver uses. */
export interface NodeRedisSentinel extends NodeRedisBase {
  readonly isReady: boolean
  acquire(): Promise<unknown>
  /** Calls the function with the client of the master, which nobody else acquires meanwhile. */
  _execute<T>(isReadonly: boolean | undefined, use: (master: NodeRedisNode) => Promise<T>): Promise<T>
}

/** A client of node-redis 5 or 6 that a driver takes. */
export type NodeRedis = NodeRedisClient | NodeRedisCluster | NodeRedisSentinel

/** A client of node-redis behind the interface of an ioredis client. */
export interface Adapter extends RedisClient {
  /** Whether the application has connected the client, and has not closed it. */
  readonly isOpen: boolean
  /** Whether commands leave at once. */
  readonly isReady: boolean
  /** What node-redis puts before the keys of its own methods, but not before those of raw commands. */
  readonly keyPrefix: string
  /**
   * The longest that a command waits for its connection, in milliseconds. The call was given up by
   * then, so this only keeps an outage from filling the memory.
   */
  timeLimit: number
}

/**
 * The options of every command. They replace those that the application has set for its own
 * commands: types of replies, another order, a signal, and a timer for each command.
 */
export const OPTIONS: object = Object.freeze({
  typeMapping: {},
  asap: false,
  chainId: undefined,
  abortSignal: undefined,
  timeout: undefined,
})

const has = (value: unknown, ...names: string[]): boolean =>
  names.every((name) => typeof (value as never)?.[name] === 'function')

/** Whether the value is a cluster of node-redis. */
export const isNodeRedisCluster = (value: object): value is NodeRedisCluster => has(value, 'nodeClient')

/** Whether the value is a sentinel client of node-redis. */
export const isNodeRedisSentinel = (value: object): value is NodeRedisSentinel =>
  has(value, 'acquire', '_execute')

/**
 * Whether the value is a client, a cluster or a sentinel client of node-redis 5 or 6. A pool is none
 * of them, because it does not send commands in their order. Neither is a legacy client.
 */
export function isNodeRedis(value: unknown): value is NodeRedis {
  if (!has(value, 'sendCommand', 'on', 'withTypeMapping')) return false
  if (isNodeRedisCluster(value as object) || isNodeRedisSentinel(value as object)) return true
  return has(value, 'duplicate') && !has(value, 'execute')
}

/** Returns the command as node-redis takes it: text alone. */
export function toArgs(command: string, args: readonly (string | number)[]): string[] {
  const all = [command]
  for (const arg of args) all.push(typeof arg === 'string' ? arg : String(arg))
  return all
}

/** Returns the client's option `keyPrefix`, which node-redis has since version 6.3. */
export const keyPrefixOf = (client: object): string =>
  `${(client as { _keyPrefix?: string | Buffer })._keyPrefix ?? ''}`
