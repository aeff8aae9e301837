import { Cluster, Redis } from 'ioredis'

/** Where a test keeps its sessions: on a server, in a cluster, or on a master with Sentinels. */
export interface Place {
  readonly url?: string
  readonly addresses?: readonly { host: string; port: number }[]
  readonly sentinels?: readonly { host: string; port: number }[]
  /** Ports of proxies, by the ports of the servers behind them. */
  readonly ports?: ReadonlyMap<number, number>
  /** The name by which the Sentinels know the master. */
  readonly name?: string
}

/** Makes a client of ioredis for the server, the cluster or the master. */
export function clientOf({ url, addresses, sentinels, name }: Place): Redis | Cluster {
  if (sentinels) return new Redis({ sentinels: [...sentinels], name: name! })
  return addresses ? new Cluster([...addresses]) : new Redis(url!)
}
