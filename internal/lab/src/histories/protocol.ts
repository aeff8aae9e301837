import type { DatabaseId } from '@session-stores/testbed/databases'
import type { Mutant } from './mutants.ts'

/** The messages between the program and the application's processes, and what a history consists of. */

/** The `operationTimeout` of the stores, in milliseconds. */
export const OPERATION_TIMEOUT = 800
/** The number of sessions in a history. The last one lives for a short time only. */
export const SESSIONS = 3
/**
 * The grace periods of the histories' refresh tokens, in milliseconds: each token works once, or for
 * so long that some refreshes repeat and some rotate.
 */
export const GRACES: readonly number[] = [0, 100]
/** How old what a check of an access token knows may be, in milliseconds. */
export const FRESHNESS = 200

/** How long a session lives without a touch, in milliseconds. */
export const LIFETIMES: readonly number[] = [3_600_000, 3_600_000, 400]

export type Verb =
  | 'get'
  | 'create'
  | 'save'
  | 'plain'
  | 'touch'
  | 'update'
  | 'destroy'
  | 'revoke'
  | 'revokeUser'
  | 'regenerate'
  /** Begins a family of refresh tokens, which is a session of its own. */
  | 'grant'
  | 'refresh'
  | 'verify'
  /** The program itself removed everything from the database. */
  | 'flush'
  /** The server was killed, and may forget what it has acknowledged to nobody. */
  | 'crash'
  /** Another server has taken over, which may lack the writes of the last moments. */
  | 'failover'
  /** A server is cut off. From now on it and the one that takes over may both answer. */
  | 'split'
  /** Only the server that took over answers from now on. */
  | 'join'

/** `unknown` means that the call may have happened or not, now or within `operationTimeout`. */
export type Answer =
  | 'ok'
  | 'null'
  | 'true'
  | 'false'
  | 'gone'
  | 'conflict'
  /** A refresh token was used again, which ended its family. */
  | 'reused'
  | 'unknown'
  /** An error that no fault explains. */
  | 'unexpected'

export type Keys = Readonly<Record<string, string>>

/** The keys that a save sets, and those that it removes. */
export interface Change {
  readonly set: Keys
  readonly remove: readonly string[]
}

/** What a call asks for. */
export interface Question {
  /** The session's id, or `undefined` for a call about all sessions of the history. */
  readonly session: string | undefined
  readonly verb: Verb
  /** All keys of a new session. */
  readonly set?: Keys
  /** What a save may change: it alone, or with more and more of the saves before it that got no answer. */
  readonly variants?: readonly Change[]
  /** When the session ends, in epoch milliseconds, if this call decides it. */
  readonly deadline?: number
  /** The number of the refresh token that is presented, or that came with the access token. */
  readonly n?: number
  /** The grace period of a refresh, in milliseconds. */
  readonly grace?: number
  /** How old what a check knows may be, in milliseconds. */
  readonly freshness?: number
}

/** A moment: microseconds since the machine started, and epoch milliseconds of the application's clock. */
interface Moment {
  readonly at: number
  readonly clock: number
}

export interface Begun extends Question {
  readonly number: number
  readonly history: string
  readonly begun: Moment
}

export interface Ended {
  readonly number: number
  readonly ended: Moment
  readonly answer: Answer
  readonly found?: Keys
  /** The family that a `grant` began. */
  readonly session?: string
  /** The code of the error, if there was one. */
  readonly code?: string
  /** With `gone`: an earlier try of the call got no answer, and may have taken effect. */
  readonly isUncertain?: boolean
}

/** The arguments of an application's process. */
export interface Settings {
  readonly database: DatabaseId
  readonly place: string
  /** The option `formatVersion`, in a version of the packages that has one format more. */
  readonly writes?: number
  /** The file of the calls. What is in a file outlives a killed process, unlike a message to another one. */
  readonly calls: string
}

/** What one client does in a history. */
export interface Part {
  readonly history: string
  /** The name of the part. */
  readonly part: string
  readonly seed: number
  readonly calls: number
  /** How the store is broken. */
  readonly mutant?: Mutant | undefined
}

/** Which version of the packages a process of the application has. */
export interface Version extends Pick<Settings, 'writes'> {
  /** The folder of an older version. */
  readonly checkout?: string
}

/** What the program tells an application's process. */
export type Command =
  /** Plays a part of a history, and answers with `{ done: part }`. */
  | { play: Part }
  /** Sets how far the clock of the application is ahead, in milliseconds. */
  | { clock: number }
  /** Another process got these tokens. */
  | { take: Pair }

/** The tokens of a client, which every process of the application may be asked to accept. */
export interface Pair {
  readonly history: string
  /** The checker's name of the family. */
  readonly session: string
  /** The handle of the family's session. */
  readonly handle: string
  readonly n: number
  readonly grace: number
  readonly accessToken: string
  readonly refreshToken: string
}

export type Message = { ready: true } | { done: string } | { handed: Pair }

/** A line in the file of the calls. */
export type Line = { begun: Begun } | { ended: Ended }
