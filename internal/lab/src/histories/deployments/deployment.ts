import type { DatabaseId } from '@session-stores/testbed/databases'
import type { Place } from '../place.ts'
import type { Fault } from '../scene.ts'

/**
 * What a deployment promises about acknowledged writes.
 *
 * - `kept`: none is lost, and nobody who logged out is logged in again.
 * - `last moments`: a failover may lose those that had not reached the server that takes over. The
 *   checker allows those of the last second, and those of a server that was cut off.
 */
type Promised = 'kept' | 'last moments'

/** Several servers that applications use as one database, with the faults that are theirs. */
export interface Deployment extends Place {
  readonly deployment: DeploymentInfo & {
    readonly faults: Readonly<Record<string, Fault>>
    /** The calls of each client of a history. A failover takes longer than a cut connection. */
    readonly calls: number
    /** Whether a write without an answer may take effect as late as the end of a fault. */
    readonly delaysWrites?: boolean
    /**
     * Whether the list of a user's sessions may be on another server than a session. After a failover
     * it may then lack sessions that began or ended in its last moments, until their next save.
     */
    readonly isSharded?: boolean
    /** The places of stores that are broken on purpose, which the checker has to find. */
    readonly mutants?: Readonly<Record<string, Opening>>
  }
}

export interface DeploymentInfo {
  readonly name: string
  readonly database: DatabaseId
  readonly promised: Promised
}

/** How an application opens its store. A place is the JSON of it, or else a URL or a path. */
export type Opening =
  | {
      readonly kind: 'sentinel'
      readonly name: string
      readonly addresses: readonly { host: string; port: number }[]
      /** Addresses that the Sentinels name, and those at which applications reach the servers. */
      readonly natMap: Readonly<Record<string, { host: string; port: number }>>
    }
  | { readonly kind: 'cluster'; readonly addresses: readonly { host: string; port: number }[] }
  | { readonly kind: 'pooler'; readonly url: string }
  /** Wrong on purpose: lookups go to a standby, which may not have the last writes. */
  | { readonly kind: 'standby'; readonly url: string; readonly standby: string }
  /** Wrong on purpose: what was refused because the database is full counts as saved. */
  | { readonly kind: 'full'; readonly url: string }
