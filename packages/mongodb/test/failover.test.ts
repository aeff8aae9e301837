import { crash, endure, hang, replace } from '@session-stores/driver-suite/outage'
import {
  type MongoReplicaSet,
  mongoProcess,
  mongoReplicaSet,
  type ProcessServer,
} from '@session-stores/testbed'
import { describeWith, report } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { mongoDriver } from '../src/index.ts'
import { startThree, withOption } from './support/servers.ts'

/** Returns a member that is not the primary. */
async function secondaryOf(set: MongoReplicaSet): Promise<ProcessServer> {
  const primary = await set.primary()
  return set.nodes.find((node) => node !== primary)!
}

const outages: Record<string, (set: MongoReplicaSet) => Promise<Parameters<typeof endure>[1]>> = {
  'the primary is killed, and comes back': async (set) => {
    const primary = await set.primary()
    return { strike: () => primary.kill(), return: () => primary.start() }
  },
  'the primary hangs, and returns': async (set) => replace(await set.primary()),
  'a secondary hangs, and returns': async (set) => replace(await secondaryOf(set)),
}

describeWith('MongoDB replica set of three', startThree, (set) => {
  // A member that copies from a silent one takes half a minute to find another. See
  // docs/generated/failover.md.
  it.for(Object.entries(outages))('%s', { timeout: 120_000 }, async ([, outageOf], context) => {
    const figures = await endure(mongoDriver({ url: set.url }), await outageOf(set))
    report(context, { server: set.version, ...figures })
    expect(figures).toMatchObject({ lost: 0, undone: 0 })
  })
})

for (const [name, start] of [
  ['MongoDB', mongoReplicaSet],
  ['MongoDB without a replica set', mongoProcess],
] as const)
  describeWith(
    name,
    () => start(),
    (server) => {
      it.for([
        ['killed, and started again', crash(server)],
        ['silent for a while', hang(server)],
      ] as const)('%s', async ([, outage], context) => {
        const figures = await endure(mongoDriver({ url: server.url }), outage)
        report(context, { server: server.version, ...figures })
        expect(figures).toMatchObject({ lost: 0, undone: 0 })
      })
    },
  )

// With less than a majority, the database may lose what it acknowledged. The store promises nothing then.
describeWith('MongoDB replica set of three, w=1', startThree, (set) => {
  it('both secondaries are away, then the primary is killed', { timeout: 120_000 }, async (context) => {
    const primary = await set.primary()
    const others = set.nodes.filter((node) => node !== primary)
    const figures = await endure(mongoDriver({ url: withOption(set.url, 'w=1') }), {
      async strike(load) {
        // A member that only hangs would find the last writes in its sockets.
        await Promise.all(others.map((node) => node.kill()))
        await load.works()
        await primary.kill()
        await Promise.all(others.map((node) => node.start()))
      },
      return: () => primary.start(),
    })
    report(context, { server: set.version, ...figures })
    expect(figures.lost).toBeGreaterThan(0)
  })
})

describeWith(
  'MongoDB without a replica set, w=1',
  () => mongoProcess(),
  (server) => {
    it('killed, and started again', async (context) => {
      const figures = await endure(mongoDriver({ url: withOption(server.url, 'w=1') }), crash(server))
      report(context, { server: server.version, ...figures })
    })
  },
)
