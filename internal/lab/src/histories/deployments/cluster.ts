import { setTimeout as pause } from 'node:timers/promises'
import { moveRandomSlot, type ProcessServer, type RedisCluster, redisCluster } from '@session-stores/testbed'
import type { Fault, Scene } from '../scene.ts'
import type { Deployment, DeploymentInfo, Opening } from './deployment.ts'
import { eventually, redisField, sendRedis } from './redis.ts'

/** How long a master may be silent until its replica takes over, in milliseconds. */
const NODE_TIMEOUT = 1000
/** The same between the faults, where a machine that is only busy must cause no failover. */
const NODE_TIMEOUT_AT_REST = 60_000

/** Three masters, each with one replica. */
export async function startCluster(info: DeploymentInfo): Promise<Deployment> {
  const log = ['--appendonly', 'yes', '--appendfsync', 'always']
  const cluster = await redisCluster({ replicas: 1, nodeTimeout: NODE_TIMEOUT_AT_REST, args: log })
  const place = JSON.stringify({ kind: 'cluster', addresses: cluster.addresses } satisfies Opening)
  return {
    database: 'redis',
    version: cluster.version,
    source: cluster.nodes[0]!.source,
    direct: place,
    through: place,
    deployment: { ...info, faults: faultsOf(cluster), calls: 40, isSharded: true },
    [Symbol.asyncDispose]: () => cluster.stop(),
  }
}

/** A line of `CLUSTER NODES`. */
interface Node {
  readonly id: string
  readonly server: ProcessServer
  readonly isMaster: boolean
  readonly master: string
  readonly isUp: boolean
}

async function readNodes({ nodes }: RedisCluster, by: ProcessServer): Promise<Node[]> {
  const lines = `${await sendRedis(by, 'CLUSTER', 'NODES')}`.trim().split('\n')
  return lines.map((line) => {
    const [id, address, flags, master, , , , link] = line.split(' ') as [
      string,
      string,
      string,
      string,
      ...string[],
    ]
    const port = Number(/:(\d+)@/.exec(address)![1])
    const server = nodes.find((node) => node.port === port)!
    const isUp = !/fail/.test(flags) && link === 'connected'
    return { id, server, isMaster: /master/.test(flags), master, isUp }
  })
}

/** Returns a random master and its replica. */
async function choosePair(
  cluster: RedisCluster,
  { random }: Scene,
): Promise<{ master: Node; replica: Node }> {
  const nodes = await readNodes(cluster, cluster.nodes[0]!)
  const replicas = nodes.filter(({ isMaster }) => !isMaster)
  const replica = replicas[Math.floor(random() * replicas.length)]!
  return { replica, master: nodes.find(({ id }) => id === replica.master)! }
}

const isMaster = async (server: ProcessServer): Promise<boolean> =>
  (await redisField(server, 'replication', 'role')) === 'master'

/** Resolves when all nodes agree that all slots are served, and each master has a replica in sync. */
function inSync(cluster: RedisCluster): Promise<void> {
  return eventually(async () => {
    for (const server of cluster.nodes) {
      if (((await sendRedis(server, 'CLUSTER', 'INFO')) as string).includes('cluster_state:fail'))
        return false
      const nodes = await readNodes(cluster, server)
      if (nodes.some(({ isUp }) => !isUp) || nodes.filter((node) => node.isMaster).length !== 3) return false
      const info = `${await sendRedis(server, 'INFO', 'replication')}`
      if (!/master_link_status:up|slave0:.*state=online/.test(info)) return false
    }
    return true
  })
}

/**
 * Runs what makes the replica of a master take over, and resolves when it has. The others vote once in
 * twice their timeout.
 */
async function failOver(
  { nodes }: RedisCluster,
  { master, replica }: { master: Node; replica: Node },
  strike: () => unknown,
): Promise<void> {
  const set = (servers: readonly ProcessServer[], milliseconds: number): Promise<unknown> =>
    Promise.all(
      servers.map((server) => sendRedis(server, 'CONFIG', 'SET', 'cluster-node-timeout', milliseconds)),
    )
  const others = nodes.filter((node) => node !== master.server)
  await set(others, NODE_TIMEOUT)
  await strike()
  await eventually(() => isMaster(replica.server))
  await set(others, NODE_TIMEOUT_AT_REST)
}

function faultsOf(cluster: RedisCluster): Record<string, Fault> {
  return {
    async 'a master killed'(scene) {
      const pair = await choosePair(cluster, scene)
      const { server } = pair.master
      await scene.lose('failover', () => failOver(cluster, pair, () => server.kill()))
      await server.start()
      await inSync(cluster)
    },
    async 'a master stopped'(scene) {
      const pair = await choosePair(cluster, scene)
      const { server } = pair.master
      await failOver(cluster, pair, () => scene.lose('split', async () => server.pause()))
      await pause(scene.random() * 300)
      await scene.lose('join', async () => {
        server.resume()
        await eventually(async () => !(await isMaster(server)))
      })
      await inSync(cluster)
    },
    async 'a replica cut off, then it takes over'(scene) {
      const { master, replica } = await choosePair(cluster, scene)
      await scene.lose('split', async () => {
        // A password that the master does not know makes it turn the replica away, which tries again.
        await sendRedis(replica.server, 'CONFIG', 'SET', 'masterauth', 'none')
        await sendRedis(master.server, 'CLIENT', 'KILL', 'TYPE', 'replica')
      })
      await pause(200 + scene.random() * 500)
      await scene.lose('join', async () => {
        await sendRedis(replica.server, 'CLUSTER', 'FAILOVER', 'TAKEOVER')
        await eventually(async () => !(await isMaster(master.server)))
      })
      await sendRedis(replica.server, 'CONFIG', 'SET', 'masterauth', '')
      await inSync(cluster)
    },
    /** The master hands over what it has, so nothing may be lost. */
    async 'planned failover'(scene) {
      const pair = await choosePair(cluster, scene)
      await failOver(cluster, pair, () => sendRedis(pair.replica.server, 'CLUSTER', 'FAILOVER'))
      await inSync(cluster)
    },
    async 'slots move'(scene) {
      const nodes = (await readNodes(cluster, cluster.nodes[0]!)).filter((node) => node.isMaster)
      const from = nodes[Math.floor(scene.random() * nodes.length)]!
      const others = nodes.filter((node) => node !== from)
      const masters = [from, ...others].map(({ server }) => server)
      for (let i = 0; i < 20; i++) await moveRandomSlot(masters)
    },
  }
}
