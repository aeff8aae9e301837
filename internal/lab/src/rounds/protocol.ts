/** The commands to a child process and its answers. */

export type Command =
  /** Saves a new session. `as` names the request, whose session object later commands use. */
  | { call: 'signIn'; id: string; as: string; data: Record<string, unknown> }
  /** Returns whether the session exists. */
  | { call: 'load'; id: string; as: string }
  | { call: 'save'; id: string; as: string; set?: Record<string, unknown>; remove?: string[] }
  | { call: 'touch'; id: string; as: string }
  /** Returns whether the session exists and has this key. */
  | { call: 'has'; id: string; key: string }
  | { call: 'destroy'; id: string }
  | { call: 'revokeUser'; user: string }
  | { call: 'regenerate'; id: string; as: string }
  | { call: 'forget'; names: string[] }

export interface Question {
  number: number
  command: Command
}

export interface Answer {
  number: number
  found?: boolean | number | void
  /** The error code. An answer without a code was acknowledged. */
  error?: string
  /** In milliseconds. */
  duration: number
}
