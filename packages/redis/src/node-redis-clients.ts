import type { RedisNode } from './client.ts'
import { isFault } from './errors.ts'
import {
  type Adapter,
  isNodeRedisCluster,
  isNodeRedisSentinel,
  keyPrefixOf,
  type NodeRedis,
  type NodeRedisClient,
  type NodeRedisCluster,
  type NodeRedisMaster,
  type NodeRedisNode,
  type NodeRedisSentinel,
  OPTIONS,
  toArgs,
} from './node-redis.ts'
import { SentinelSessions } from './sentinel-sessions.ts'

/** Gives a client of node-redis the interface of an ioredis client. */
export function adapt(client: NodeRedis): Adapter {
  if (isNodeRedisCluster(client)) return new ClusterAdapter(client)
  if (isNodeRedisSentinel(client)) return new SentinelAdapter(client)
  return new ClientAdapter(client)
}

/** What a client with one connection and one with a connection to a master have in common. */
abstract class OneConnection implements Adapter {
  timeLimit = 5000
  readonly keyPrefix: string
  /** Node-redis itself writes all commands of one turn of the event loop at once. */
  readonly stream = { cork() {}, uncork() {}, destroy: () => this.#leave() }
  readonly #client: NodeRedisClient | NodeRedisSentinel
  readonly #onClose: (() => void)[] = []
  #isLeft = false

  constructor(client: NodeRedisClient | NodeRedisSentinel) {
    this.#client = client
    this.keyPrefix = keyPrefixOf(client)
  }

  get isOpen(): boolean {
    return this.#client.isOpen
  }

  get isReady(): boolean {
    return this.#client.isReady && !this.#isLeft
  }

  abstract call(command: string, ...args: (string | number)[]): Promise<unknown>

  /** Takes the events `error`, and `close`, which comes whenever a connection has ended. */
  on(event: string, listener: (...args: unknown[]) => void): void {
    if (event === 'close') this.#onClose.push(listener)
    else this.#client.on(event, listener)
  }

  /** Looks out for the end of this client's connection, and for its errors. */
  protected watch(client: NodeRedisNode, onError?: (error: unknown) => void): void {
    const onEnd = () => {
      this.#isLeft = false
      this.onClose(client)
    }
    client.on('error', (error) => {
      // An error on a connection that goes on ends nothing.
      if (!client.isReady) onEnd()
      onError?.(error)
    })
    client.on('end', onEnd)
  }

  protected onClose(_client: NodeRedisNode): void {
    for (const listener of this.#onClose) listener()
  }

  /**
   * Has the server close the connection, because node-redis shows nobody its socket. Node-redis
   * makes another one then, by the application's settings.
   */
  #leave(): void {
    this.#isLeft = true
    this.call('QUIT').catch(() => {})
    for (const listener of this.#onClose) listener()
  }
}

class ClientAdapter extends OneConnection {
  readonly #client: NodeRedisClient
  readonly #onError: ((error: unknown) => void)[] = []

  constructor(client: NodeRedisClient) {
    super(client)
    this.#client = client
    this.watch(client, (error) => {
      for (const listener of this.#onError) listener(error)
    })
  }

  /** One listener for errors is enough, so that the driver can tell whether the application has any. */
  override on(event: string, listener: (...args: unknown[]) => void): void {
    if (event === 'error') this.#onError.push(listener)
    else super.on(event, listener)
  }

  call(command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#client.sendCommand(toArgs(command, args), OPTIONS)
  }
}

class SentinelAdapter extends OneConnection {
  readonly #sessions: SentinelSessions

  constructor(client: NodeRedisSentinel) {
    super(client)
    this.#sessions = new SentinelSessions(client, (master) => this.watch(master))
  }

  call(command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#sessions.send(toArgs(command, args), this.timeLimit)
  }

  protected override onClose(master: NodeRedisNode): void {
    this.#sessions.end(master)
    super.onClose(master)
  }
}

class ClusterAdapter implements Adapter {
  timeLimit = 5000
  readonly isCluster = true
  readonly keyPrefix: string
  readonly #cluster: NodeRedisCluster
  readonly #nodes = new WeakMap<NodeRedisMaster, RedisNode>()

  constructor(cluster: NodeRedisCluster) {
    this.#cluster = cluster
    this.keyPrefix = keyPrefixOf(cluster)
  }

  get isOpen(): boolean {
    return this.#cluster.isOpen
  }

  get isReady(): boolean {
    const { isReady, masters } = this.#cluster
    return isReady !== false && masters.length > 0
  }

  nodes(): RedisNode[] {
    return this.#cluster.masters.map((master) => this.#nodeOf(master))
  }

  /** A master that is not connected would keep commands until it is. */
  masterOf(slot: number): RedisNode | undefined {
    const master = this.#cluster.slots[slot]?.master
    return master?.client?.isReady ? this.#nodeOf(master) : undefined
  }

  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    // The key follows the script and the number of keys, or else the name of the command.
    const key = command.startsWith('EVAL') ? args[2] : args[0]
    try {
      return await this.#cluster.sendCommand(
        key as string | undefined,
        false,
        toArgs(command, args),
        this.#options(),
      )
    } catch (error) {
      // Node-redis looks for the master of a slot in a map that may have a hole.
      throw isFault(error as Error)
        ? new Error('the cluster client knows no master of the slot', { cause: error })
        : error
    }
  }

  on(event: string, listener: (...args: unknown[]) => void): void {
    if (event === 'error') this.#cluster.on('error', listener)
    if (event === '-node')
      for (const end of ['node-error', 'node-disconnect']) this.#cluster.on(end, () => listener())
    if (event === '+node')
      this.#cluster.on('node-ready', (at) => {
        const { host, port } = at as NodeRedisMaster
        const master = this.#cluster.masters.find((each) => each.host === host && each.port === port)
        if (master) listener(this.#nodeOf(master))
      })
  }

  /** Node-redis keeps commands for a master that is down until it is back, however long that takes. */
  #options(): object {
    for (const { client } of this.#cluster.masters)
      if (!client?.isReady) return { ...OPTIONS, abortSignal: AbortSignal.timeout(this.timeLimit) }
    return OPTIONS
  }

  /** Replaces the connection of a master. The cluster's own clients are hidden from the application. */
  async #reconnect(master: NodeRedisMaster): Promise<void> {
    const client = await this.#cluster.nodeClient(master)
    if (!client.isReady) return
    client.destroy()
    await client.connect()
  }

  #nodeOf(master: NodeRedisMaster): RedisNode {
    let node = this.#nodes.get(master)
    if (node === undefined) {
      const call = (command: string, ...args: (string | number)[]) => {
        const client = this.#cluster.nodeClient(master)
        const send = (node: NodeRedisNode) => node.sendCommand(toArgs(command, args), this.#options())
        return client instanceof Promise ? client.then(send) : send(client)
      }
      const destroy = () => void this.#reconnect(master).catch(() => {})
      const { host, port } = master
      node = { options: { host, port }, stream: { cork() {}, uncork() {}, destroy }, call, on() {} }
      this.#nodes.set(master, node)
    }
    return node
  }
}
