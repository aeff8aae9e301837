import type { ServerInfo } from '../results/results.ts'

/** What a server has done since it started. */
export interface Counts {
  /** Requests that came in; `null`: it does not say. */
  roundTrips: number | null
  /** Commands, statements or documents that it worked on. */
  commands: number | null
}

/** A server that all subjects of a kind are measured on, one after the other. */
export interface BenchServer {
  readonly info: ServerInfo
  /** The URLs of an empty place of this name: a database or a number of one. What was in it is gone. */
  empty(name: string): Promise<string[]>
  /** Comes to rest after many sessions were stored at this URL: what it would still do about them is done. */
  settle?(url: string): Promise<void>
  counts(): Promise<Counts>
  /** How many sessions the place at this URL holds, expired ones too. */
  stored(url: string): Promise<number>
  /** Its processes now. */
  pids(): number[]
  stop(): Promise<void>
}
