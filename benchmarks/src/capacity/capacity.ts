import type { DatabaseId } from '@session-stores/testbed/databases'
import type { Figures } from './figures.ts'

/** What an application has. */
export interface Load {
  /** Sessions that are stored at a time. */
  sessions: number
  /** Requests a second that look a session up and touch it. */
  requests: number
  /** Bytes of a session as JSON. */
  payload: number
  /** How long a session lives, in seconds. */
  lifetime: number
}

/** What a database needs for it. */
export interface Needs {
  /** Bytes of all sessions: memory of Redis, storage of the others. */
  bytes: number
  /** Bytes of memory, so that lookups seldom wait for a disk. */
  memory: number
  /** Lookups and touches a second, and removals of sessions that ended. */
  operations: number
  /** Cores of the database, and of the applications for their stores alone. */
  coresServer: number
  coresApp: number
  /** Nodes that share the work: masters, shards or partitions' servers. */
  nodes: number
  /** What is exhausted first on a single node. */
  first: 'nothing' | 'CPU' | 'memory' | 'storage'
}

/** How full a core or a memory may be, so that a peak and a failed node find room. */
export const UTILIZATION = 0.6
const GB = 1e9

/**
 * A node: its cores that can work for sessions, and its bytes of memory and storage. Redis runs commands
 * on one core.
 */
const nodes: Readonly<Record<DatabaseId, { cores: number; memory: number; storage: number }>> = {
  redis: { cores: 1, memory: 32 * GB, storage: Number.POSITIVE_INFINITY },
  mongodb: { cores: 16, memory: 64 * GB, storage: 2000 * GB },
  postgres: { cores: 16, memory: 64 * GB, storage: 2000 * GB },
  sqlite: { cores: 8, memory: 32 * GB, storage: 1000 * GB },
}

/** The share of sessions that are in use at a time, which databases on disk keep in memory. */
const ACTIVE = 0.2

/** Computes what a database needs. Every measured figure counts as linear in the load. */
export function computeNeeds(id: DatabaseId, load: Load, { cpuApp, cpuServer, fixed, each }: Figures): Needs {
  const { sessions, requests, payload, lifetime } = load
  const bytes = sessions * (fixed + each * payload)
  const memory = id === 'redis' ? bytes : bytes * ACTIVE
  const cores = (microseconds: number): number => (requests * microseconds) / 1e6 / UTILIZATION
  const node = nodes[id]
  const coresServer = id === 'sqlite' ? 0 : cores(cpuServer)
  const shares = {
    CPU: (id === 'sqlite' ? cores(cpuApp) : coresServer) / node.cores,
    memory: memory / UTILIZATION / node.memory,
    storage: bytes / UTILIZATION / node.storage,
  }
  const [first, most] = Object.entries(shares).sort(([, a], [, b]) => b - a)[0]!
  return {
    ...{ bytes, memory, operations: 2 * requests + sessions / lifetime },
    ...{ coresServer, coresApp: cores(cpuApp) },
    nodes: Math.max(1, Math.ceil(most)),
    first: most <= 1 ? 'nothing' : (first as keyof typeof shares),
  }
}
