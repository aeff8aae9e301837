import type { MakeOptions } from '@session-stores/conformance'
import type { Awaitable, Driver } from '@session-stores/core'

/**
 * Two drivers on one empty place of a database (a table, a prefix, a file), as two processes share one, and what the
 * suite may do with it. The suite calls `setup` and `close` of the drivers.
 */
export interface Deployment {
  drivers: readonly [Driver, Driver]
  /**
   * Whether each deployment is a database of its own, such as a file, so that its `place` may be the same as
   * another's. Default `false`: all deployments are places in one database.
   */
  ownDatabase?: boolean
  /** Called last, after both drivers were closed: ends clients that were lent, and removes what is left. */
  dispose?(): Awaitable<void>
  /**
   * Returns everything that the database holds, with its keys and indexes: nothing in it may give a session away.
   * Without it the suite looks at what the drivers list and read.
   */
  dump?(): Awaitable<string | Uint8Array>
  /** How another process opens the same place. The races between processes need it. */
  remote?: Remote
  /** Takes the database away, so that connections are refused. Returns a function that brings it back. */
  stop?(): Awaitable<() => Awaitable<void>>
  /** Lets the database accept calls and answer none. Returns a function that ends that. */
  freeze?(): Awaitable<() => Awaitable<void>>
}

/** How another process opens the place of a deployment. */
export interface Remote {
  /** The path or URL of a module whose default export makes a driver from `config`. */
  module: string
  /** Any value that JSON can hold. */
  config: unknown
}

/** What a deployment may be made with: one value for each of its two drivers. */
export type DeploymentOptions = Pick<MakeOptions, 'prefixes' | 'tables' | 'timeZones'>

/** Makes a new deployment. It is called for each rule, so it should be quick: a new table, not a new server. */
export type MakeDeployment = (options: DeploymentOptions) => Awaitable<Deployment>
