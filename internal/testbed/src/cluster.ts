import { Redis } from 'ioredis'
import { redisBinary, redisProcess } from './redis.ts'
import type { Identity, ProcessServer } from './server.ts'
import { until } from './until.ts'

/** A Redis Cluster on this machine, each node a process of its own. */
export interface RedisCluster extends AsyncDisposable, Identity {
  /** The masters first, as they were made; a failover does not reorder them. */
  readonly nodes: readonly ProcessServer[]
  /** `127.0.0.1` and port of every node, as ioredis takes them. */
  readonly addresses: readonly { host: string; port: number }[]
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** 3 by default. */
  readonly masters?: number
  /** Of each master; 0 by default. */
  readonly replicas?: number
  /** The ms after which a silent node is taken for dead, and a replica takes over; 15,000 by default. */
  readonly nodeTimeout?: number
  /** More arguments for every node. */
  readonly args?: readonly string[]
}

const slots = 16_384

/**
 * Starts and joins a cluster whose masters share the slots evenly, each with as many replicas as asked. Returns when
 * all nodes agree on all slots and all replicas are in sync. That takes at least two seconds: a new master holds back
 * so long before it takes writes.
 */
export async function redisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 0, nodeTimeout = 15_000, args = [] } = options
  const binary = await redisBinary()
  const nodes: ProcessServer[] = []
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    const enabled = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${nodeTimeout}`]
    // A replica is listed from the first byte that its master sends it, and an idle master sends only these pings.
    const prompt = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']
    const node = { binary, args: [...enabled, ...prompt, ...args] }
    for (let i = 0; i < masters * (1 + replicas); i++) nodes.push(await redisProcess(node))
    await join(nodes, masters, nodeTimeout)
  } catch (error) {
    await stop()
    throw error
  }
  const addresses = nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const { version, source } = nodes[0]!
  const arrangement = `Cluster of ${nodes.length}`
  return { version, source, arrangement, nodes, addresses, stop, [Symbol.asyncDispose]: stop }
}

async function join(nodes: readonly ProcessServer[], masters: number, nodeTimeout: number): Promise<void> {
  const clients = nodes.map((node) => new Redis(node.url))
  const everyNode = async (act: (client: Redis) => Promise<unknown>) =>
    void (await Promise.all(clients.map(act)))
  const setNodeTimeout = (ms: number) =>
    everyNode((client) => client.config('SET', 'cluster-node-timeout', ms))
  try {
    // News travels in pings, and pings come twice in a timeout.
    await setNodeTimeout(1000)
    for (const [i, client] of clients.entries()) {
      // Epochs that differ from the start: else nodes find the clash by gossip and change them while clients look on.
      await client.cluster('SET-CONFIG-EPOCH', i + 1)
      if (i < masters) await client.cluster('ADDSLOTS', ...share(i, masters))
      if (i > 0) await clients[0]!.cluster('MEET', '127.0.0.1', nodes[i]!.port)
    }
    await until(() => everyNode((client) => knows(client, nodes.length)), 30_000)
    for (let i = masters; i < nodes.length; i++) {
      await clients[i]!.cluster('REPLICATE', (await clients[i % masters]!.cluster('MYID')) as string)
    }
    await until(() => everyNode((client) => isReady(client, nodes.length, masters)), 60_000)
    await setNodeTimeout(nodeTimeout)
  } finally {
    for (const client of clients) client.disconnect()
  }
}

function share(i: number, masters: number): number[] {
  const from = Math.floor((i * slots) / masters)
  const to = Math.floor(((i + 1) * slots) / masters)
  return Array.from({ length: to - from }, (_, j) => from + j)
}

/** Throws until the node has shaken hands with all the others. */
async function knows(client: Redis, count: number): Promise<void> {
  const lines = ((await client.cluster('NODES')) as string).trim().split('\n')
  const joined = lines.filter((line) => line.includes(' connected') && !/handshake|fail|noaddr/.test(line))
  if (lines.length !== count || joined.length !== count) throw new Error('the nodes have not met')
}

/** Throws until the node sees every slot served, every replica at its place, and its own data is in sync. */
async function isReady(client: Redis, count: number, masters: number): Promise<void> {
  await knows(client, count)
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
