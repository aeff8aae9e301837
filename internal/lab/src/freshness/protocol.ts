/** The orders to a process of the application, and its answers. */

export type Order =
  /** Saves new sessions. */
  | { do: 'fill'; ids: string[] }
  /** Looks these sessions up again and again, until the next order. */
  | { do: 'look'; ids: string[] }
  /** Stops looking, and reports when it last began a lookup that found each session. */
  | { do: 'stop' }
  /** Ends the sessions, one after the other over `milliseconds`, and reports when each had ended. */
  | { do: 'end'; ids: string[]; milliseconds: number }
  /** Loads each session and saves it with a key of its own, `rounds` times. */
  | { do: 'save'; ids: string[]; name: string; rounds: number }
  /** Looks each session up once, and reports the memory that the process needs for what it knows. */
  | { do: 'read'; ids: string[] }

export interface Answer {
  /** Milliseconds of the machine's monotonic clock, by the index of the session. `undefined`: never. */
  times?: (number | undefined)[]
  /** How many lookups of a session that this process had ended found it. */
  own?: number
  /** How many lookups were made. */
  lookups?: number
  /** Bytes of the heap after a garbage collection. */
  heap?: number
  error?: string
}
