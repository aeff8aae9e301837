import { Cluster, Redis } from 'ioredis'

/** Where a test keeps its sessions: on a server or in a cluster. */
export interface Place {
  url?: string
  addresses?: readonly { host: string; port: number }[]
}

/** Makes a client of the server or the cluster. */
export function clientOf({ url, addresses }: Place): Redis | Cluster {
  return addresses ? new Cluster([...addresses]) : new Redis(url!)
}
