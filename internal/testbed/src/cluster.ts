import { Redis } from 'ioredis'
import type { Binary } from './process.ts'
import { redisBinary, redisProcess } from './redis.ts'
import type { Identity, ProcessServer } from './server.ts'
import { until } from './until.ts'

/** A Redis Cluster on this machine. Each node runs in its own process. */
export interface RedisCluster extends AsyncDisposable, Identity {
  /**
   * The nodes in the order in which they started, masters first. A failover does not reorder them.
   */
  readonly nodes: readonly ProcessServer[]
  /** The host and port of every node, in the form that ioredis takes. */
  readonly addresses: readonly { host: string; port: number }[]
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** @default 3 */
  readonly masters?: number
  /**
   * Replicas of each master.
   * @default 0
   */
  readonly replicas?: number
  /**
   * Milliseconds after which a silent node counts as dead and a replica takes over.
   * @default 15_000
   */
  readonly nodeTimeout?: number
  /** Additional arguments for every node. */
  readonly args?: readonly string[]
  /**
   * The binary of every node.
   * @default the result of `redisBinary()`
   */
  readonly binary?: Binary
}

const slots = 16_384

/**
 * Starts a cluster whose masters share the slots evenly. Returns when all nodes agree on all slots
 * and all replicas are in sync. The start takes at least two seconds because a new master refuses
 * writes for that long.
 * @throws SERVER_UNAVAILABLE
 */
export async function redisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 0, nodeTimeout = 15_000, args = [] } = options
  const { binary = await redisBinary() } = options
  const nodes: ProcessServer[] = []
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    const enabled = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${nodeTimeout}`]
    // A master lists a replica after its first byte, and an idle master sends only these pings.
    const prompt = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']
    const node = { binary, args: [...enabled, ...prompt, ...args] }
    for (let i = 0; i < masters * (1 + replicas); i++) nodes.push(await redisProcess(node))
    await joinNodes(nodes, masters, nodeTimeout)
  } catch (error) {
    await stop()
    throw error
  }
  const addresses = nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const { version, source } = nodes[0]!
  const arrangement = `Cluster of ${nodes.length}`
  return { version, source, arrangement, nodes, addresses, stop, [Symbol.asyncDispose]: stop }
}

async function joinNodes(
  nodes: readonly ProcessServer[],
  masters: number,
  nodeTimeout: number,
): Promise<void> {
  const clients = nodes.map((node) => new Redis(node.url))
  const everyNode = async (act: (client: Redis) => Promise<unknown>) =>
    void (await Promise.all(clients.map(act)))
  const setNodeTimeout = (ms: number) =>
    everyNode((client) => client.config('SET', 'cluster-node-timeout', ms))
  try {
    // Cluster state travels in pings, and a node pings twice per timeout, so a short timeout is
    // faster.
    await setNodeTimeout(1000)
    for (const [i, client] of clients.entries()) {
      // Different epochs from the start avoid a conflict that nodes would resolve during the
      // first calls.
      await client.cluster('SET-CONFIG-EPOCH', i + 1)
      if (i < masters) await client.cluster('ADDSLOTS', ...slotsOf(i, masters))
      if (i > 0) await clients[0]!.cluster('MEET', '127.0.0.1', nodes[i]!.port)
    }
    await until(() => everyNode((client) => checkHandshakes(client, nodes.length)), 30_000)
    for (let i = masters; i < nodes.length; i++) {
      await clients[i]!.cluster('REPLICATE', (await clients[i % masters]!.cluster('MYID')) as string)
    }
    await until(() => everyNode((client) => checkReady(client, nodes.length, masters)), 60_000)
    await setNodeTimeout(nodeTimeout)
  } finally {
    for (const client of clients) client.disconnect()
  }
}

function slotsOf(i: number, masters: number): number[] {
  const from = Math.floor((i * slots) / masters)
  const to = Math.floor(((i + 1) * slots) / masters)
  return Array.from({ length: to - from }, (_, j) => from + j)
}

/** Throws unless the node has completed its handshake with all other nodes. */
async function checkHandshakes(client: Redis, count: number): Promise<void> {
  const lines = ((await client.cluster('NODES')) as string).trim().split('\n')
  const joined = lines.filter((line) => line.includes(' connected') && !/handshake|fail|noaddr/.test(line))
  if (lines.length !== count || joined.length !== count) throw new Error('the nodes have not met')
}

/**
 * Throws unless the node sees all slots served and all replicas placed, and its own data is in
 * sync.
 */
async function checkReady(client: Redis, count: number, masters: number): Promise<void> {
  await checkHandshakes(client, count)
  const info = (await client.cluster('INFO')) as string
  if (!/cluster_state:ok/.test(info)) throw new Error('the cluster is not ready')
  const ranges = (await client.cluster('SLOTS')) as unknown[][]
  const members = ranges.reduce((sum, range) => sum + range.length - 2, 0)
  if (ranges.length !== masters || members !== count) throw new Error('the nodes do not agree on the slots')
  const replication = await client.info('replication')
  if (/role:slave/.test(replication) && !/master_link_status:up/.test(replication)) {
    throw new Error('a replica is not in sync')
  }
}
