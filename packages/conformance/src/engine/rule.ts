import type { SessionData, Store } from 'express-session'
import type { Context } from './context.ts'

type Awaitable<T> = T | Promise<T>

/**
 * `must`: what express-session, or the store's own documentation, promises; a store that breaks it hurts somebody.
 * `should`: what a user of any store may expect. `info`: a difference worth knowing.
 */
export type Level = 'must' | 'should' | 'info'

/** Methods that a store may lack, and declare absent. express-session knows nothing of `close`. */
export type Method = 'touch' | 'all' | 'length' | 'clear' | 'close'

/** What the author of a store can do for the suite, besides making stores: hooks, and options that are followed. */
export type Need = 'second' | 'corrupt' | 'move' | 'stop' | 'freeze' | 'stored' | keyof MakeOptions

/** What a store is to be made with. A subject that does not `accept` one is never asked for it. */
export interface MakeOptions {
  /** Milliseconds that a session lives whose cookie has no deadline. */
  ttl?: number
  /** One store for each of these, all on one database. */
  prefixes?: readonly [string, string]
  /** What the stores encrypt sessions with, one for each: 64 hexadecimal digits. */
  secrets?: readonly [string, string]
  /** Says of a session how many milliseconds it lives, where a function may say that; it may throw. */
  ttlOf?: (session: SessionData) => number
  /** Milliseconds: a touch that comes this soon after the last may be left out. */
  touchAfter?: number
  /** Touches are left out, all of them. */
  disableTouch?: boolean
  /** Of the stores' sessions with the database, one for each: `America/New_York`. */
  timeZones?: readonly [string, string]
  /** Milliseconds that the clock of the stores is ahead of the database's; below 0: behind it. */
  skew?: number
  /** The tables, or what the database has in their place, one for each store, all in one database. */
  tables?: readonly [string, string]
  /** Milliseconds from one removal of what has ended to the next; `false`: nothing is removed. */
  pruneInterval?: number | false
}

/** Stores on one empty database, and what their author can do to it. */
export interface Backend {
  /** The second is a store of its own on the same database, as another process has one. */
  stores: readonly [Store, Store?]
  /** Called last: closes the stores, and removes what is left of them. */
  dispose?(): Awaitable<void>
  /** Moves the clock of all these stores ahead by so many milliseconds. Left out, the suite waits. */
  advance?(ms: number): Awaitable<void>
  /** Makes the stored record of this session unreadable. */
  corrupt?(id: string): Awaitable<void>
  /** Puts what is stored of one session in the place of what is stored of another. */
  move?(from: string, to: string): Awaitable<void>
  /** How many sessions the database of the first store holds, with those that have ended. */
  stored?(): Awaitable<number>
  /** Takes the database away, so that connections are refused; returns what brings it back. */
  stop?(): Awaitable<() => Awaitable<void>>
  /** Has the database accept calls and answer none; returns what ends that. */
  freeze?(): Awaitable<() => Awaitable<void>>
}

/** A store under test: what a module for the command line exports. */
export interface Subject {
  /** As it stands in reports; of the command line, the name of the module by default. */
  name?: string
  /** What is tested, as reports name it: packages and servers. `{ 'connect-redis': '10.0.0', Redis: '8.2.1' }` */
  versions?: Readonly<Record<string, string>>
  /** Called for each rule, several at once: a new prefix, table or file, not a new server. */
  make(options: MakeOptions): Awaitable<Backend>
  /** `false`: the store has no such method, and says so. */
  supports?: Partial<Record<Method, boolean>>
  /** The options that `make` follows. */
  accepts?: readonly (keyof MakeOptions)[]
  /** Rules that the store breaks on purpose: the rule's id, and why. They stand in every report. */
  optOut?: Readonly<Record<string, string>>
}

/** What is known of a rule before it runs. */
export interface RuleInfo {
  /** Stable: it names the rule in reports, for good. `ended/touch-does-not-revive` */
  id: string
  /** What holds, in a line: `a touch does not revive an expired session` */
  title: string
  level: Level
  /** How a user is hurt where it does not hold. */
  why: string
  /** Where it comes from: a standard, an issue, a documentation (a URL, or `owner/repository#123`). */
  source?: string
}

/** One thing that must hold of any store for express-session, checked by itself on an empty database. */
export interface Rule extends RuleInfo {
  /** Without one of these methods it has nothing to check. */
  methods?: readonly Method[]
  /** What it needs of `make`; where that is missing the rule is reported as not run. */
  needs?: readonly Need[]
  /** What the stores are made with. */
  options?: MakeOptions
  /** Whether the store may refuse these options: the rule holds where `make` throws. */
  mayRefuse?: boolean
  /** Packages that it works with; where one is not installed the rule is reported as not run. */
  packages?: readonly string[]
  check(context: Context): Promise<void> | void
}

/** A session without its cookie. */
export type Data = Record<string, unknown>
export type StoredSession = SessionData & Data
