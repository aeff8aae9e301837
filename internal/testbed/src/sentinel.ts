import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startProcess } from './process.ts'
import { type FaultyProxy, startProxy } from './proxy.ts'
import { redis, redisBinary, redisProcess } from './redis.ts'
import type { Identity, Kind, ProcessServer } from './server.ts'
import { until } from './until.ts'

/**
 * A master, its replicas, and the Sentinels that watch them. Each of them runs in its own process.
 */
export interface RedisSentinel extends AsyncDisposable, Identity {
  /** The name by which the Sentinels know the master. */
  readonly name: string
  /**
   * The servers in the order in which they started, master first. A failover does not reorder them.
   */
  readonly nodes: readonly ProcessServer[]
  readonly sentinels: readonly ProcessServer[]
  /** The host and port of every Sentinel, in the form that ioredis takes. */
  readonly addresses: readonly { host: string; port: number }[]
  /**
   * With `isolable`: the network between each node and the other servers, in the order of `nodes`.
   * The Sentinels name the ports of these proxies, so clients need a `natMap` to the nodes.
   */
  readonly peers: readonly FaultyProxy[]
  stop(): Promise<void>
}

export interface SentinelOptions {
  /** @default 1 */
  readonly replicas?: number
  /**
   * A majority of the Sentinels must agree on a failover.
   * @default 3
   */
  readonly sentinels?: number
  /**
   * Milliseconds after which a silent master counts as dead and a replica takes over.
   * @default 1000
   */
  readonly downAfter?: number
  /**
   * Whether a proxy is between each node and the other servers, so that a node can be cut off from
   * them and not from its clients.
   * @default false
   */
  readonly isolable?: boolean
  /** Additional arguments for every node. */
  readonly args?: readonly string[]
}

const name = 'main'

const sentinel: Kind = {
  ...redis,
  name: 'Sentinel',
  args(port, folder) {
    // Sentinel stores its state in its configuration file, which must exist and survive a
    // restart.
    const file = join(folder, 'sentinel.conf')
    writeFileSync(file, '', { flag: 'a' })
    return [
      file,
      '--sentinel',
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--daemonize',
      'no',
    ]
  },
}

/**
 * Starts all servers. Returns when the replicas are in sync and the Sentinels know the replicas and
 * each other.
 * @throws SERVER_UNAVAILABLE
 */
export async function redisSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
  const { replicas = 1, sentinels: count = 3, downAfter = 1000, isolable = false, args = [] } = options
  const binary = await redisBinary()
  const nodes: ProcessServer[] = []
  const sentinels: ProcessServer[] = []
  const peers: FaultyProxy[] = []
  const stop = async () =>
    void (await Promise.all([...nodes, ...sentinels, ...peers].map((each) => each.stop())))
  const startNode = async (more: readonly string[]): Promise<ProcessServer> => {
    const prompt = ['--repl-diskless-sync-delay', '0', ...args, ...more]
    if (!isolable) return redisProcess({ binary, args: prompt })
    // The node has to know the port of its proxy before the proxy can know the port of the node.
    const peer = await startProxy('redis://127.0.0.1:1')
    peers.push(peer)
    const announce = ['--replica-announce-ip', '127.0.0.1', '--replica-announce-port', `${peer.port}`]
    const node = await redisProcess({ binary, args: [...prompt, ...announce] })
    peer.redirect(node)
    return node
  }
  try {
    const master = await startNode([])
    nodes.push(master)
    const masterPort = peers[0]?.port ?? master.port
    const following = ['--replicaof', '127.0.0.1', `${masterPort}`]
    for (let i = 0; i < replicas; i++) nodes.push(await startNode(following))
    await ask(master, (client) => until(() => checkInSync(client, replicas), 30_000))
    for (let i = 0; i < count; i++) sentinels.push(await startProcess(sentinel, binary))
    const quorum = Math.floor(count / 2) + 1
    for (const each of sentinels) {
      await ask(each, async (client) => {
        await client.call('SENTINEL', 'MONITOR', name, '127.0.0.1', masterPort, quorum)
        await client.call('SENTINEL', 'SET', name, 'down-after-milliseconds', downAfter)
      })
    }
    await Promise.all(
      sentinels.map((each) =>
        ask(each, (client) => until(() => checkReady(client, replicas, count), 30_000)),
      ),
    )
  } catch (error) {
    await stop()
    throw error
  }
  const addresses = sentinels.map(({ port }) => ({ host: '127.0.0.1', port }))
  const { version, source } = nodes[0]!
  const arrangement = `${nodes.length} watched by ${count} Sentinels`
  return {
    version,
    source,
    arrangement,
    name,
    nodes,
    sentinels,
    addresses,
    peers,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function ask<T>(server: ProcessServer, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(server.url)
  try {
    return await question(client)
  } finally {
    client.disconnect()
  }
}

/** Throws unless all replicas of the master are in sync. */
async function checkInSync(master: Redis, replicas: number): Promise<void> {
  const info = await master.info('replication')
  if (info.match(/state=online/g)?.length !== replicas) throw new Error('a replica is not in sync')
}

/** Throws unless the Sentinel knows all replicas and all other Sentinels. */
async function checkReady(client: Redis, replicas: number, sentinels: number): Promise<void> {
  const fields = (await client.call('SENTINEL', 'MASTER', name)) as string[]
  const field = (key: string) => Number(fields[fields.indexOf(key) + 1])
  if (field('num-slaves') !== replicas || field('num-other-sentinels') !== sentinels - 1) {
    throw new Error('the Sentinels do not know each other')
  }
}
