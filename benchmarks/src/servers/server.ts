import type { ServerInfo, Size } from '../results/results.ts'

/** What a server has done since its start. */
export interface Counts {
  /** The number of received requests, or `null` if the server does not count them. */
  roundTrips: number | null
  /** The number of processed commands, statements or documents. */
  commands: number | null
}

/** A server for all subjects of one kind. */
export interface BenchServer {
  readonly info: ServerInfo
  /** Empties the place of this name, such as a database. Returns its URLs. */
  empty(name: string): Promise<string[]>
  /** Completes background work after many sessions were stored at this URL. */
  settle?(url: string): Promise<void>
  counts(): Promise<Counts>
  /** Returns the number of sessions at this URL, including expired ones. */
  stored(url: string): Promise<number>
  /** Returns the bytes that this URL takes up, or the whole server if it does not tell them apart. */
  size?(url: string): Promise<Size>
  /** Lets slots of a cluster move from one master to another from now on, or no longer. */
  moveSlots?(isMoving: boolean): Promise<void>
  /** Returns the pids of the server's current processes. */
  pids(): number[]
  stop(): Promise<void>
}
