import type { Row } from '../driver.ts'
import type { CookieSettings } from './cookie.ts'

/** A state in which the session was stored, or may have been. */
export interface Base {
  readonly tag: string
  /** The encoded session, as the object held it then. */
  readonly text: string
}

/**
 * What is known about the row of a session object. It is a class, and its fields are assigned one
 * by one: see docs/decisions/0005-classes-on-the-hot-path.md.
 */
export class Marker {
  id: string
  key: string
  /**
   * The tag of the row as it was read, or last saved by this object. Empty until a save is
   * answered.
   */
  tag: string
  /** The encoded session as it was read, or as this object last saved it: the base of a merge. */
  text: string
  user: Row['user']
  createdAt: number
  expiresAt: number
  cookie: CookieSettings
  /**
   * Whether the row holds changes of other requests that the object lacks. Its next save has to
   * merge.
   */
  isPartial = false
  /** The saves of this object that got no answer. One of them may be what is stored. */
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

/**
 * Its constructor returns its argument, so that a subclass puts its private field on that object.
 */
class Adopt {
  constructor(target: object) {
    // biome-ignore lint/correctness/noConstructorReturn: returning the target is the purpose
    return target
  }
}

/**
 * Attaches a marker to a session object as a private field, which `for…in`, JSON and the
 * application do not see, and which goes with the object. A WeakMap costs 50 times as much: see
 * docs/decisions/0006-marker-in-a-private-field.md.
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

/**
 * Returns the marker of this object for this id. An object that is saved under another id must not
 * bring along what is known about the first one.
 */
export function markerOf(target: object, id: string): Marker | undefined {
  const marker = Marked.get(target)
  return marker?.id === id ? marker : undefined
}

export function mark(target: object, marker: Marker): void {
  Marked.set(target, marker)
}

export function copyMarker(from: object, to: object): void {
  const marker = Marked.get(from)
  if (marker) Marked.set(to, marker)
}
