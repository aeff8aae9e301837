import type { SessionData, Store } from 'express-session'

type Awaitable<T> = T | Promise<T>

/** The methods that a store may lack. express-session itself never calls `close`. */
export type Method = 'touch' | 'all' | 'length' | 'clear' | 'close'

/**
 * What a rule needs of `make` besides one store: a second store, a hook of the backend, or an
 * option that the subject accepts.
 */
export type Need = 'second' | 'corrupt' | 'move' | 'stop' | 'freeze' | 'stored' | keyof MakeOptions

/** How the stores must be made. `make` only gets the options that its subject `accepts`. */
export interface MakeOptions {
  /** How long a session lives whose cookie has no deadline, in milliseconds. */
  ttl?: number
  /** The prefixes of the first and the second store, which share one database. */
  prefixes?: readonly [string, string]
  /** The secrets that the first and the second store encrypt with: 64 hexadecimal digits each. */
  secrets?: readonly [string, string]
  /** Returns how long a session lives, in milliseconds. The function may throw. */
  ttlOf?: (session: SessionData) => number
  /** Milliseconds after a touch during which the store may skip further touches. */
  touchAfter?: number
  /** Whether the store skips every touch. */
  disableTouch?: boolean
  /**
   * The time zones of the database connections of the first and the second store, such as
   * `America/New_York`.
   */
  timeZones?: readonly [string, string]
  /** Milliseconds that the clock of the stores is ahead of the database's; negative: behind it. */
  skew?: number
  /** The tables (or collections, …) of the first and the second store, in one database. */
  tables?: readonly [string, string]
  /** Milliseconds between two removals of ended sessions; `false`: the store removes none. */
  pruneInterval?: number | false
}

/** What `make` returns: stores on one empty database, and what their author can do to it. */
export interface Backend {
  /** The store under test, and optionally a second store on the same database. */
  stores: readonly [Store, Store?]
  /** Called last: closes the stores and removes everything that `make` made. */
  dispose?(): Awaitable<void>
  /**
   * Moves the clock of all these stores ahead, in milliseconds. Without `advance` the suite waits.
   */
  advance?(ms: number): Awaitable<void>
  /** Makes the stored record of this session unreadable. */
  corrupt?(id: string): Awaitable<void>
  /** Overwrites the stored record of session `to` with the stored record of session `from`. */
  move?(from: string, to: string): Awaitable<void>
  /** Returns how many records the database of the first store holds, ended sessions included. */
  stored?(): Awaitable<number>
  /** Makes the database refuse connections. Returns a function that brings the database back. */
  stop?(): Awaitable<() => Awaitable<void>>
  /** Makes the database accept calls and answer none. Returns a function that ends this. */
  freeze?(): Awaitable<() => Awaitable<void>>
}

/**
 * A store under test. A module for the command line exports a subject.
 * @example
 * const subject: Subject = {
 *   name: 'my-store',
 *   accepts: ['ttl'],
 *   make({ ttl }) {
 *     const database = new Map()
 *     return { stores: [new MyStore(database, { ttl }), new MyStore(database, { ttl })] }
 *   },
 * }
 */
export interface Subject {
  /**
   * The name of the store in reports.
   * @default the file name of the module on the command line, `the store` in `suite`
   */
  name?: string
  /**
   * The versions of packages and servers under test: `{ 'connect-redis': '10.0.0', Redis: '8.2.1'
   * }`
   */
  versions?: Readonly<Record<string, string>>
  /**
   * Makes stores on an empty database. The suite calls `make` once per rule and several times at
   * once, so each call should use its own prefix, table or file rather than its own server.
   * A rule fails if `make` throws, unless the rule says that the store may refuse the options.
   */
  make(options: MakeOptions): Awaitable<Backend>
  /**
   * `{ touch: false }` declares that the store has no such method. The suite checks the
   * declaration.
   */
  supports?: Partial<Record<Method, boolean>>
  /**
   * The options that `make` follows.
   * @default []
   */
  accepts?: readonly (keyof MakeOptions)[]
  /** The rules that the store breaks on purpose: reasons by rule id. Every report shows them. */
  optOut?: Readonly<Record<string, string>>
}

/** What a session holds besides its cookie. */
export type Data = Record<string, unknown>

/** A session as a store saves it: a cookie, and what the application put there. */
export type StoredSession = SessionData & Data
