import { crash, endure, type Load, replace } from '@session-stores/driver-suite/outage'
import {
  type ProcessServer,
  type RedisSentinel,
  redisCluster,
  redisProcess,
  redisSentinel,
} from '@session-stores/testbed'
import { after, describeWith, report } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { type Library, lend, mainLibraries } from './support/lent.ts'
import type { Place } from './support/place.ts'

// These deployments may lose acknowledged writes. The tests measure how many; stores promise nothing.

/** Makes a driver on a client of the library, which is closed after the test. */
function driverOn(library: Library, place: Place) {
  const { client, close } = lend(library, place)
  after(close)
  return redisDriver({ client })
}

const throughSentinel = ({ addresses, name }: RedisSentinel, library: Library = 'ioredis') =>
  driverOn(library, { sentinels: addresses, name })

/** Sends one command to a server. */
async function ask(server: ProcessServer, ...command: [string, ...string[]]): Promise<void> {
  const client = new Redis(server.url)
  await client.call(...command)
  client.disconnect()
}

/** Returns a section of `INFO`, such as `memory`. */
async function readInfo(server: ProcessServer, section: string): Promise<string> {
  const client = new Redis(server.url)
  const info = await client.info(section)
  client.disconnect()
  return info
}

/** How many bytes of the replication stream the replica that is furthest behind has not acknowledged. */
async function readLag(master: ProcessServer): Promise<number> {
  const info = await readInfo(master, 'replication')
  const offsets = [...info.matchAll(/^(?:slave\d+:.*offset|master_repl_offset)[=:](\d+)/gm)].map(
    ([, offset]) => Number(offset),
  )
  return Math.max(...offsets) - Math.min(...offsets)
}

/** The master goes on without its replicas for a while, and dies before they hear of it. */
const cutOff = (
  [master, ...replicas]: readonly ProcessServer[],
  noticed: (load: Load) => Promise<void>,
  { caughtUp = false } = {},
) => {
  const setPassword = (password: string) =>
    Promise.all(replicas.map((replica) => ask(replica, 'CONFIG', 'SET', 'masterauth', password)))
  return {
    async strike(load: Load) {
      // A password that the master does not know makes it turn the replicas away; they try again.
      await setPassword('none')
      if (caughtUp) {
        // The server may acknowledge a write and cut the replicas off before it sends the write to them.
        await ask(master!, 'CLIENT', 'PAUSE', '10000', 'WRITE')
        await expect.poll(() => readLag(master!), { timeout: 9000 }).toBe(0)
      }
      await ask(master!, 'CLIENT', 'KILL', 'TYPE', 'replica')
      if (caughtUp) await ask(master!, 'CLIENT', 'UNPAUSE')
      await noticed(load)
      await master!.kill()
      await setPassword('')
    },
  }
}

describe.each(mainLibraries)('%s', (library) => {
  describeWith('Redis Sentinel', redisSentinel, (servers) => {
    it('the master is killed', async (context) => {
      const [master, replica] = servers.nodes
      const figures = await endure(throughSentinel(servers, library), { strike: () => master!.kill() })
      report(context, { server: replica!.version, ...figures })
    })
  })
})

describeWith('Redis Sentinel', redisSentinel, (servers) => {
  it('the replica is cut off, then the master is killed', async (context) => {
    const outage = cutOff(servers.nodes, (load) => load.works())
    const figures = await endure(throughSentinel(servers), outage)
    report(context, { server: servers.nodes[1]!.version, ...figures })
    expect(figures.lost).toBeGreaterThan(0)
    expect(figures.undone).toBeGreaterThan(0)
  })
})

const two = () => redisSentinel({ replicas: 2 })

describeWith('Redis Sentinel, min-replicas-to-write 1', two, (servers) => {
  it('both replicas are cut off, then the master is killed', async (context) => {
    for (const node of servers.nodes) await ask(node, 'CONFIG', 'SET', 'min-replicas-to-write', '1')
    const outage = cutOff(servers.nodes, (load) => load.fails(1000), { caughtUp: true })
    const figures = await endure(throughSentinel(servers), outage)
    report(context, { server: servers.nodes[1]!.version, ...figures })
    expect(figures).toMatchObject({ lost: 0, undone: 0 })
  })
})

const replicated = () => redisCluster({ replicas: 1, nodeTimeout: 1000 })

// The cluster of node-redis 5 asks for the masters again only after the old one is back.
describe.each(['ioredis', 'redis 6'] as const)('%s', (library) => {
  describeWith('Redis Cluster', replicated, ({ addresses, nodes }) => {
    it.for([
      ['a master is killed', { strike: () => nodes[0]!.kill() }],
      ['a master hangs, and returns', replace(nodes[1]!)],
    ] as const)('%s', async ([, outage], context) => {
      const figures = await endure(driverOn(library, { addresses }), outage)
      report(context, { server: nodes[2]!.version, ...figures })
    })
  })
})

/** Returns a number of a section of `INFO`. */
async function readNumber(server: ProcessServer, section: string, field: string): Promise<number> {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(await readInfo(server, section))?.[1])
}

describeWith('Redis without appendonly', redisProcess, (server) => {
  it('killed, and started again', async (context) => {
    const figures = await endure(redisDriver({ url: server.url }), crash(server))
    report(context, { server: server.version, ...figures })
    expect(figures.lost).toBeGreaterThan(0)
    expect(figures.undone).toBe(0)
  })
})

const evicting = () => redisProcess({ args: ['--maxmemory', '1gb', '--maxmemory-policy', 'volatile-lru'] })

describeWith('Redis with maxmemory-policy volatile-lru', evicting, (server) => {
  it('its memory is full', async (context) => {
    const setLimit = (bytes: number) => ask(server, 'CONFIG', 'SET', 'maxmemory', `${bytes}`)
    const figures = await endure(redisDriver({ url: server.url }), {
      async strike() {
        await setLimit((await readNumber(server, 'memory', 'used_memory')) - 50_000)
        await expect.poll(() => readNumber(server, 'stats', 'evicted_keys')).toBeGreaterThan(20)
        await setLimit(2 ** 30)
      },
    })
    report(context, { server: server.version, ...figures })
    expect(figures.lost).toBeGreaterThan(0)
  })
})
