/** What the rounds tell a process to call, and what it answers. */

export type Command =
  /** The first save of a session; `as` names the request, whose object later commands go on with. */
  | { call: 'signIn'; id: string; as: string; data: Record<string, unknown> }
  /** Answers whether the session is there. */
  | { call: 'load'; id: string; as: string }
  | { call: 'save'; id: string; as: string; set?: Record<string, unknown>; remove?: string[] }
  | { call: 'touch'; id: string; as: string }
  /** Answers whether the session is there and has this key. */
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
  /** The code of the error; without one the call was acknowledged. */
  error?: string
  /** Milliseconds. */
  duration: number
}
