import { randomBytes } from 'node:crypto'
import type { Row } from '../driver.ts'
import type { CookieSettings } from './deadline.ts'

/** A state in which the session was stored, or may have been. */
export interface Base {
  readonly tag: string
  /** The encoded session, as the object held it then. */
  readonly text: string
}

/**
 * What a session object is known to be in the database. Its fields are given one by one: an object literal for each
 * call is what V8 learns to allocate as old (see `backend.ts`).
 */
export class Marker {
  id: string
  key: string
  /** The tag of the row as it was read, or last saved by this object; empty where no save of it was answered yet. */
  tag: string
  /** The encoded session as it was read, or as this object last saved it: the base of a merge. */
  text: string
  user: Row['user']
  createdAt: number
  expiresAt: number
  cookie: CookieSettings
  /** The row holds what others wrote, which the object lacks: its next save has to merge. */
  isPartial = false
  /** What this object sent since and nobody answered: it may be what is stored. */
  unanswered: readonly Base[] | undefined = undefined

  constructor(
    id: string,
    key: string,
    tag: string,
    text: string,
    user: Row['user'],
    createdAt: number,
    expiresAt: number,
    cookie: CookieSettings,
  ) {
    this.id = id
    this.key = key
    this.tag = tag
    this.text = text
    this.user = user
    this.createdAt = createdAt
    this.expiresAt = expiresAt
    this.cookie = cookie
  }
}

/** Its constructor returns the object that it is given, so that a subclass puts its private field on that. */
class Adopt {
  constructor(target: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is the point of it
    return target
  }
}

/**
 * Attaches a marker to a session object, as a private field: invisible to `for…in`, JSON and the user, and
 * gone with the object. A WeakMap does the same for 50 times the cost (0.6 µs and more an entry, and work for
 * the garbage collector).
 */
class Marked extends Adopt {
  #marker: Marker

  constructor(target: object, marker: Marker) {
    super(target)
    this.#marker = marker
  }

  static get(target: object): Marker | undefined {
    return #marker in target ? target.#marker : undefined
  }

  static set(target: object, marker: Marker): void {
    if (#marker in target) target.#marker = marker
    else new Marked(target, marker)
  }
}

/** The marker of this object for this id: an object saved under another id must not carry over what it was. */
export function markerOf(target: object, id: string): Marker | undefined {
  const marker = Marked.get(target)
  return marker?.id === id ? marker : undefined
}

export function mark(target: object, known: Marker): void {
  Marked.set(target, known)
}

export function copyMarker(from: object, to: object): void {
  const marker = Marked.get(from)
  if (marker) Marked.set(to, marker)
}

/** New tags: one random prefix for the store and a counter, for a random tag each would cost a microsecond. */
export class Tags {
  readonly #prefix = `${randomBytes(9).toString('base64url')}.`
  #count = 0

  next(): string {
    return this.#prefix + (this.#count++).toString(36)
  }
}
