import { ask, type MongoOptions, mongoBinary, mongodb } from './mongodb.ts'
import { startProcess } from './process.ts'
import type { Identity, Kind, ProcessServer } from './server.ts'
import { until } from './until.ts'

/** A MongoDB replica set on this machine, each member a process of its own. */
export interface MongoReplicaSet extends AsyncDisposable, Identity {
  /** As they were made; which of them is the primary, the set decides. */
  readonly nodes: readonly ProcessServer[]
  /** Names the set and all its members, so clients follow its elections. */
  readonly url: string
  /** The member that takes writes now; waits for an election, and rejects after 30 s without one. */
  primary(): Promise<ProcessServer>
  stop(): Promise<void>
}

export interface ReplicaSetOptions extends Omit<MongoOptions, 'password'> {
  readonly members: number
  /** The ms after which a silent primary is taken for dead, and another is elected; 2,000 by default. */
  readonly electionTimeout?: number
}

/** A replica set whose members are all in sync and have elected a primary; throws `ServerUnavailableError`. */
export function mongoReplicaSet(options: ReplicaSetOptions): Promise<MongoReplicaSet>
/**
 * A replica set of one member, which has been elected. `url` names the set, so clients follow its elections: after
 * a step-down, and after a restart too, it is elected again by itself.
 */
export function mongoReplicaSet(options?: Omit<MongoOptions, 'password'>): Promise<ProcessServer>
export async function mongoReplicaSet(
  options: Omit<ReplicaSetOptions, 'members'> & { members?: number } = {},
): Promise<MongoReplicaSet | ProcessServer> {
  const { members = 1, electionTimeout = 2000, args = [], binary = await mongoBinary() } = options
  const nodes: ProcessServer[] = []
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    for (let i = 0; i < members; i++) {
      nodes.push(await startProcess(member, binary, ['--replSet', 'rs', ...args]))
    }
    await initiate(nodes, electionTimeout)
  } catch (error) {
    await stop()
    throw error
  }
  if (options.members === undefined) return nodes[0]!
  const url = `mongodb://${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}/?replicaSet=rs`
  const { version, source } = nodes[0]!
  const arrangement = `replica set of ${members}`
  return {
    version,
    source,
    arrangement,
    nodes,
    url,
    primary: () => primaryOf(nodes),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const member: Kind = {
  ...mongodb,
  arrangement: 'replica set of 1',
  url: (port) => `mongodb://127.0.0.1:${port}/?replicaSet=rs`,
  identify: (url) => mongodb.identify(direct(url)),
}

/** The URL for this member alone, whatever its part in the set. */
function direct(url: string): string {
  return url.replace('replicaSet=rs', 'directConnection=true')
}

async function initiate(nodes: readonly ProcessServer[], electionTimeout: number): Promise<void> {
  const members = nodes.map(({ port }, _id) => ({ _id, host: `127.0.0.1:${port}` }))
  // A primary steps down when it hears of no majority for so long: the beats must come well within it.
  const settings = {
    electionTimeoutMillis: electionTimeout,
    heartbeatIntervalMillis: electionTimeout / 4,
    // A new primary waits to hear from a silent member, 10 seconds and more by default.
    heartbeatTimeoutSecs: Math.ceil(electionTimeout / 1000),
    catchUpTimeoutMillis: electionTimeout,
  }
  await ask(direct(nodes[0]!.url), (client) =>
    client.db('admin').command({ replSetInitiate: { _id: 'rs', members, settings } }),
  )
  const primary = await primaryOf(nodes)
  await ask(direct(primary.url), (client) =>
    until(async () => {
      const status = await client.db('admin').command({ replSetGetStatus: 1 })
      const states = status.members.map(({ stateStr }: { stateStr: string }) => stateStr)
      if (states.some((state: string) => state !== 'PRIMARY' && state !== 'SECONDARY')) {
        throw new Error(`the members are not in sync: ${states.join()}`)
      }
    }, 60_000),
  )
}

function primaryOf(nodes: readonly ProcessServer[]): Promise<ProcessServer> {
  return until(() => {
    const living = nodes.filter((node) => node.pid !== undefined)
    return Promise.any(
      living.map((node) =>
        ask(direct(node.url), async (client) => {
          const { isWritablePrimary } = await client.db('admin').command({ hello: 1 })
          if (!isWritablePrimary) throw new Error('the member is no primary')
          return node
        }),
      ),
    )
  }, 30_000)
}
