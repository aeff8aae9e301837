import { ask, type MongoOptions, mongoBinary, mongodb } from './mongodb.ts'
import { startProcess } from './process.ts'
import { type FaultyProxy, startProxy } from './proxy.ts'
import type { Identity, Kind, ProcessServer } from './server.ts'
import { until } from './until.ts'

/** A MongoDB replica set on this machine. Each member runs in its own process. */
export interface MongoReplicaSet extends AsyncDisposable, Identity {
  /** The members in the order in which they started. The set itself elects its primary. */
  readonly nodes: readonly ProcessServer[]
  /** With `isolable`: the network before each member, in the order of `nodes`. */
  readonly proxies: readonly FaultyProxy[]
  /** Names the set and all its members, so clients follow its elections. */
  readonly url: string
  /**
   * Returns the current primary. Waits for an election and rejects after 30 seconds without a
   * primary.
   */
  primary(): Promise<ProcessServer>
  stop(): Promise<void>
}

export interface ReplicaSetOptions extends Omit<MongoOptions, 'password'> {
  readonly members: number
  /**
   * Milliseconds after which a silent primary counts as dead and another one is elected.
   * @default 2000
   */
  readonly electionTimeout?: number
  /**
   * Whether clients and the other members reach each member through a proxy. A member that is cut
   * off still reaches the others, and asks them whom they follow.
   * @default false
   */
  readonly isolable?: boolean
}

/**
 * Starts a replica set. Returns when all members are in sync and a primary is elected.
 * @throws SERVER_UNAVAILABLE
 */
export function mongoReplicaSet(options: ReplicaSetOptions): Promise<MongoReplicaSet>
/**
 * Starts a replica set of one member and waits for its election. `url` names the set, so clients
 * follow its elections: the member is elected again after a step-down or a restart.
 * @throws SERVER_UNAVAILABLE
 */
export function mongoReplicaSet(options?: Omit<MongoOptions, 'password'>): Promise<ProcessServer>
export async function mongoReplicaSet(
  options: Omit<ReplicaSetOptions, 'members'> & { members?: number } = {},
): Promise<MongoReplicaSet | ProcessServer> {
  const { members = 1, electionTimeout = 2000, args = [], binary = await mongoBinary() } = options
  const nodes: ProcessServer[] = []
  const proxies: FaultyProxy[] = []
  const stop = async () => void (await Promise.all([...nodes, ...proxies].map((each) => each.stop())))
  try {
    for (let i = 0; i < members; i++) {
      nodes.push(await startProcess(member, binary, ['--replSet', 'rs', ...args]))
    }
    if (options.isolable) for (const node of nodes) proxies.push(await startProxy(toDirectUrl(node.url)))
    await initiate(nodes, electionTimeout, proxies)
  } catch (error) {
    await stop()
    throw error
  }
  if (options.members === undefined) return nodes[0]!
  const url = `mongodb://${(options.isolable ? proxies : nodes).map(({ port }) => `127.0.0.1:${port}`).join()}/?replicaSet=rs`
  const { version, source } = nodes[0]!
  const arrangement = `replica set of ${members}`
  return {
    version,
    source,
    arrangement,
    nodes,
    proxies,
    url,
    primary: () => findPrimary(nodes),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const member: Kind = {
  ...mongodb,
  arrangement: 'replica set of 1',
  url: (port) => `mongodb://127.0.0.1:${port}/?replicaSet=rs`,
  identify: (url) => mongodb.identify(toDirectUrl(url)),
}

/** Returns the URL of this member alone, whatever its role in the set. */
function toDirectUrl(url: string): string {
  return url.replace('replicaSet=rs', 'directConnection=true')
}

async function initiate(
  nodes: readonly ProcessServer[],
  electionTimeout: number,
  proxies: readonly FaultyProxy[],
): Promise<void> {
  const members = nodes.map(({ port }, _id) => ({ _id, host: `127.0.0.1:${proxies[_id]?.port ?? port}` }))
  // A primary steps down after this time without a majority, so heartbeats must be more frequent.
  const settings = {
    electionTimeoutMillis: electionTimeout,
    heartbeatIntervalMillis: electionTimeout / 4,
    // A new primary waits this long for a silent member, by default 10 seconds or more.
    heartbeatTimeoutSecs: Math.ceil(electionTimeout / 1000),
    catchUpTimeoutMillis: electionTimeout,
  }
  await ask(toDirectUrl(nodes[0]!.url), (client) =>
    client.db('admin').command({ replSetInitiate: { _id: 'rs', members, settings } }),
  )
  const primary = await findPrimary(nodes)
  await ask(toDirectUrl(primary.url), (client) =>
    until(async () => {
      const status = await client.db('admin').command({ replSetGetStatus: 1 })
      const states = status.members.map(({ stateStr }: { stateStr: string }) => stateStr)
      if (states.some((state: string) => state !== 'PRIMARY' && state !== 'SECONDARY')) {
        throw new Error(`the members are not in sync: ${states.join()}`)
      }
    }, 60_000),
  )
}

function findPrimary(nodes: readonly ProcessServer[]): Promise<ProcessServer> {
  return until(() => {
    const living = nodes.filter((node) => node.pid !== undefined)
    return Promise.any(
      living.map((node) =>
        ask(toDirectUrl(node.url), async (client) => {
          const { isWritablePrimary } = await client.db('admin').command({ hello: 1 })
          if (!isWritablePrimary) throw new Error('the member is no primary')
          return node
        }),
      ),
    )
  }, 30_000)
}
