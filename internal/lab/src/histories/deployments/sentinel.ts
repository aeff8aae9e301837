import { setTimeout as pause } from 'node:timers/promises'
import { type ProcessServer, type RedisSentinel, redisSentinel, startProxy } from '@session-stores/testbed'
import { Redis } from 'ioredis'
import type { Fault } from '../scene.ts'
import type { Deployment, DeploymentInfo, Opening } from './deployment.ts'
import { eventually, redisField, sendRedis } from './redis.ts'

/** A master with two replicas and three Sentinels. */
export async function startSentinel(info: DeploymentInfo, args: readonly string[]): Promise<Deployment> {
  const log = ['--appendonly', 'yes', '--appendfsync', 'always']
  const set = await redisSentinel({ replicas: 2, isolable: true, args: [...log, ...args] })
  // Sentinels that did not agree try again after twice this time, by default after six minutes.
  for (const sentinel of set.sentinels)
    await sendRedis(sentinel, 'SENTINEL', 'SET', set.name, 'failover-timeout', 3000)
  await setDownAfter(set, DOWN_AFTER_AT_REST)
  const proxies = await Promise.all(set.nodes.map((node) => startProxy(node)))
  const natMap = (ports: readonly { port: number }[]) =>
    Object.fromEntries(
      set.peers.map(({ port }, i) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: ports[i]!.port }]),
    )
  const opening = { kind: 'sentinel', name: set.name, addresses: set.addresses } as const
  return {
    database: 'redis',
    version: set.version,
    source: set.nodes[0]!.source,
    direct: JSON.stringify({ ...opening, natMap: natMap(set.nodes) } satisfies Opening),
    through: JSON.stringify({ ...opening, natMap: natMap(proxies) } satisfies Opening),
    deployment: { ...info, faults: faultsOf(set, proxies), calls: 40 },
    async [Symbol.asyncDispose]() {
      await Promise.all(proxies.map((proxy) => proxy.stop()))
      await set.stop()
    },
  }
}

/** How long a server may be silent until the Sentinels replace it, in milliseconds. */
const DOWN_AFTER = 1000
/** The same between the faults, where a machine that is only busy must cause no failover. */
const DOWN_AFTER_AT_REST = 60_000

/** Runs what makes the Sentinels replace the master, and resolves when another one takes writes. */
async function failOver(set: RedisSentinel, old: ProcessServer, strike: () => unknown): Promise<void> {
  await setDownAfter(set, DOWN_AFTER)
  await strike()
  await until(set, old)
  await setDownAfter(set, DOWN_AFTER_AT_REST)
}

async function setDownAfter({ name, sentinels }: RedisSentinel, milliseconds: number): Promise<void> {
  await Promise.all(
    sentinels.map((sentinel) =>
      sendRedis(sentinel, 'SENTINEL', 'SET', name, 'down-after-milliseconds', milliseconds),
    ),
  )
}

function faultsOf(set: RedisSentinel, proxies: readonly { cut(): void }[]): Record<string, Fault> {
  const peerOf = (node: ProcessServer) => set.peers[set.nodes.indexOf(node)]!
  return {
    async 'master killed'(scene) {
      const master = await masterOf(set)
      await scene.lose('failover', () => failOver(set, master, () => master.kill()))
      await master.start()
      await inSync(set)
    },
    async 'master stopped'(scene) {
      const master = await masterOf(set)
      await failOver(set, master, () => scene.lose('split', async () => master.pause()))
      await pause(scene.random() * 300)
      await scene.lose('join', async () => {
        master.resume()
        await demoted(master)
      })
      await inSync(set)
    },
    async 'master cut off from replicas and Sentinels'(scene) {
      const master = await masterOf(set)
      const peer = peerOf(master)
      await failOver(set, master, () =>
        scene.lose('split', async () => {
          peer.refuse()
          peer.cut()
        }),
      )
      await pause(scene.random() * 1000)
      await scene.lose('join', async () => {
        peer.accept()
        await demoted(master)
      })
      await inSync(set)
    },
    async 'connections cut'() {
      for (const proxy of proxies) proxy.cut()
    },
    async 'a Sentinel killed'(scene) {
      const sentinel = set.sentinels[Math.floor(scene.random() * set.sentinels.length)]!
      await sentinel.kill()
      await pause(scene.random() * 300)
      await sentinel.start()
    },
  }
}

/** Returns the node that the Sentinels name as the master. */
async function masterOf({ name, nodes, peers, sentinels }: RedisSentinel): Promise<ProcessServer> {
  const client = new Redis(sentinels[0]!.url)
  try {
    const [, port] = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as [string, string]
    return nodes[peers.findIndex((peer) => peer.port === Number(port))]!
  } finally {
    client.disconnect()
  }
}

/** Resolves when the Sentinels name another master than this one, and it takes writes. */
function until(set: RedisSentinel, old: ProcessServer): Promise<void> {
  return eventually(async () => {
    const master = await masterOf(set)
    return master !== old && (await redisField(master, 'replication', 'role')) === 'master'
  })
}

function demoted(old: ProcessServer): Promise<void> {
  return eventually(async () => (await redisField(old, 'replication', 'role')) === 'slave')
}

/** Resolves when all other nodes copy the master, and the Sentinels would start another failover. */
async function inSync(set: RedisSentinel): Promise<void> {
  await eventually(async () => {
    const master = await masterOf(set)
    const lines = `${await sendRedis(master, 'INFO', 'replication')}`.match(/^slave\d+:.*state=online/gm)
    return lines?.length === set.nodes.length - 1
  })
  await Promise.all(
    set.sentinels.map(async (sentinel) => {
      await eventually(async () => {
        const master = (await sendRedis(sentinel, 'SENTINEL', 'MASTER', set.name)) as string[]
        const replicas = (await sendRedis(sentinel, 'SENTINEL', 'REPLICAS', set.name)) as string[][]
        const flags = [master, ...replicas].map((fields) => fields[fields.indexOf('flags') + 1]!)
        return flags.every((each) => each === 'master' || each === 'slave')
      })
    }),
  )
}
