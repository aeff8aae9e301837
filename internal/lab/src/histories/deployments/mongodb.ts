import { setTimeout as pause } from 'node:timers/promises'
import {
  type FaultyProxy,
  type MongoReplicaSet,
  mongoReplicaSet,
  type ProcessServer,
} from '@session-stores/testbed'
import { MongoClient } from 'mongodb'
import type { Fault, Scene } from '../scene.ts'
import type { Deployment, DeploymentInfo } from './deployment.ts'

/** A replica set of three. `info` says whether it is used with the default write concern. */
export async function startMongoReplicaSet(info: DeploymentInfo, query: string): Promise<Deployment> {
  const set = await mongoReplicaSet({ members: 3, electionTimeout: 1000, isolable: true })
  const url = `${set.url}${query}`
  return {
    database: 'mongodb',
    version: set.version,
    source: set.nodes[0]!.source,
    direct: url,
    through: url,
    // A primary that is replaced may keep a write that nobody acknowledged, and show it when it comes back.
    deployment: { ...info, faults: faultsOf(set, info), calls: 40, delaysWrites: true },
    [Symbol.asyncDispose]: () => set.stop(),
  }
}

function faultsOf(set: MongoReplicaSet, { promised }: DeploymentInfo): Record<string, Fault> {
  const proxyOf = (node: ProcessServer): FaultyProxy => set.proxies[set.nodes.indexOf(node)]!
  const primaryBut = async (old: ProcessServer): Promise<void> => {
    while ((await set.primary()) === old) await pause(50)
  }
  // Reads may see a write before a majority has it. An election may undo that write.
  const failover = (scene: Scene, act: () => Promise<unknown>): Promise<void> =>
    scene.lose(promised === 'kept' ? 'crash' : 'failover', act)
  /** Ends when another member is the primary, and `mend` has brought the old one back. */
  const replacePrimary =
    (strike: (primary: ProcessServer) => unknown, mend: (primary: ProcessServer) => unknown): Fault =>
    async (scene) => {
      const primary = await set.primary()
      await failover(scene, async () => {
        await strike(primary)
        await primaryBut(primary)
      })
      await pause(scene.random() * 300)
      // The old primary rolls back what only it has.
      await failover(scene, async () => {
        await mend(primary)
        await inSync(set)
      })
    }
  return {
    'primary steps down': replacePrimary(
      (primary) => command(primary, { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 5, force: true }),
      () => undefined,
    ),
    'primary killed': replacePrimary(
      (primary) => primary.kill(),
      (primary) => primary.start(),
    ),
    'primary stopped': replacePrimary(
      (primary) => primary.pause(),
      (primary) => primary.resume(),
    ),
    'primary cut off': replacePrimary(
      (primary) => {
        proxyOf(primary).refuse()
        proxyOf(primary).cut()
      },
      (primary) => proxyOf(primary).accept(),
    ),
    async 'secondary killed'(scene) {
      const primary = await set.primary()
      const secondaries = set.nodes.filter((node) => node !== primary)
      const node = secondaries[Math.floor(scene.random() * secondaries.length)]!
      await node.kill()
      await pause(scene.random() * 500)
      await node.start()
      await inSync(set)
    },
    async 'connections of all members cut'() {
      for (const proxy of set.proxies) proxy.cut()
    },
  }
}

async function command(
  node: ProcessServer,
  document: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const client = new MongoClient(node.url.replace('replicaSet=rs', 'directConnection=true'), {
    serverSelectionTimeoutMS: 2000,
  })
  try {
    return await client.db('admin').command(document)
  } finally {
    await client.close()
  }
}

/** Resolves when every member is a primary or a secondary that answers. */
async function inSync(set: MongoReplicaSet): Promise<void> {
  for (const end = Date.now() + 30_000; ; await pause(50)) {
    try {
      const status = await command(await set.primary(), { replSetGetStatus: 1 })
      const states = (status.members as { stateStr: string }[]).map(({ stateStr }) => stateStr)
      if (states.every((state) => state === 'PRIMARY' || state === 'SECONDARY')) return
    } catch (error) {
      if (Date.now() > end) throw error
    }
    if (Date.now() > end) throw new Error('the members of the replica set are not in sync')
  }
}
