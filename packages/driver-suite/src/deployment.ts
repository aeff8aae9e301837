import type { MakeOptions } from '@session-stores/conformance'
import type { Awaitable, Driver } from '@session-stores/core'

/**
 * Two drivers on one empty place of a database (a table, a prefix or a file), as two processes have
 * them, and what the suite may do with that place. The suite calls `setup` and `close` of both
 * drivers itself.
 */
export interface Deployment {
  /** The two drivers. They may be the same object. */
  drivers: readonly [Driver, Driver]
  /**
   * Whether each deployment has a database of its own, such as a file. Then the `place` of its
   * drivers may be the same as in another deployment. Otherwise all deployments are places in one
   * database.
   *
   * @default false
   */
  ownDatabase?: boolean
  /**
   * Is called last, after both drivers were closed: closes lent clients and removes what is left.
   */
  dispose?(): Awaitable<void>
  /**
   * Returns everything that the database holds, with keys and indexes. The suite checks that no
   * secret of a session is in it. Without `dump` the suite looks only at what the drivers list and
   * read.
   */
  dump?(): Awaitable<string | Uint8Array>
  /** How another process opens the same place. The part `process-races` requires it. */
  remote?: Remote
  /**
   * Takes the database away, so that it refuses connections. Returns a function that brings it
   * back.
   */
  stop?(): Awaitable<() => Awaitable<void>>
  /** Makes the database accept calls without answering them. Returns a function that ends this. */
  freeze?(): Awaitable<() => Awaitable<void>>
}

/** Tells another process how to open the place of a deployment. */
export interface Remote {
  /**
   * The path or URL of a module whose default export is a function that makes a driver from
   * `config`.
   */
  module: string
  /** The argument of that function: any value that JSON can represent. */
  config: unknown
}

/**
 * What a deployment may be asked for, as pairs with one value for each driver: `prefixes`, `tables`
 * or `timeZones`. Only `subjectOf` asks for them, and only for those that `follows` names.
 */
export type DeploymentOptions = Pick<MakeOptions, 'prefixes' | 'tables' | 'timeZones'>

/**
 * Makes a new, empty deployment. The suite calls it for each rule, sometimes for many rules at
 * once. So it should be quick: it should create a table or a prefix, not start a server.
 */
export type MakeDeployment = (options: DeploymentOptions) => Awaitable<Deployment>
