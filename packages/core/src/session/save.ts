import session, { type SessionData } from 'express-session'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { pause } from '../dispatch/timers.ts'
import type { Row, Write } from '../driver.ts'
import type { Codec } from '../encoding/codec.ts'
import type { Keys } from '../encoding/key.ts'
import { SessionStoreError } from '../errors.ts'
import { events, type SessionEvent } from '../events.ts'
import type { Settings } from '../options.ts'
import { type CookieSettings, decidesDeadline } from './cookie.ts'
import { idleDeadline, withinAbsolute } from './deadline.ts'
import { Marker, mark, markerOf } from './marker.ts'
import type { Order } from './order.ts'
import { SentWrite } from './sent.ts'
import type { Tags } from './tag.ts'
import { userOf } from './user.ts'

/** The `createdAt` of a tombstone that was written where there was no session. */
export const NEVER = 0

/** A save on its way: what is to be written, and the object that the application holds. */
export class Save {
  readonly id: string
  readonly key: string
  readonly object: SessionData
  readonly cookie: CookieSettings
  readonly user: Row['user']
  readonly expiresAt: number
  /**
   * Whether a later deadline that is stored stays, because this request did not decide the
   * deadline.
   */
  readonly extend: boolean
  text = ''

  /** @throws INVALID_SESSION or INVALID_USER */
  constructor(id: string, key: string, object: SessionData, cookie: CookieSettings, settings: Settings) {
    const marker = markerOf(object, id)
    this.id = id
    this.key = key
    this.object = object
    this.cookie = cookie
    this.expiresAt = idleDeadline(object.cookie, settings.now(), settings.idleTimeout)
    this.extend = marker !== undefined && marker.tag !== '' && !decidesDeadline(marker.cookie, cookie)
    this.user = userOf(object, settings)
  }
}

/** What a save writes: its own content, or that of a merge. */
export type Content = Pick<Save, 'key' | 'text' | 'user' | 'expiresAt' | 'extend'>

/** Makes the writes of saves. */
export class WriteFactory {
  readonly #codec: Codec
  readonly #settings: Settings
  readonly #tags: Tags

  constructor(codec: Codec, settings: Settings, tags: Tags) {
    this.#codec = codec
    this.#settings = settings
    this.#tags = tags
  }

  /** @throws PAYLOAD_TOO_LARGE */
  create(content: Content, createdAt: number, expect: string): SentWrite {
    const { key, user, text } = content
    const data = this.#codec.wrap(text, { key, user, createdAt })
    const expiresAt = withinAbsolute(content.expiresAt, createdAt, this.#settings.absoluteTimeout)
    return new SentWrite(content, data, this.#tags.next(), createdAt, expiresAt, expect)
  }
}

/** @param uncertain the error of an earlier write of the save, which may have landed */
export const goneError = (uncertain: Error | null = null): SessionStoreError =>
  uncertain === null
    ? new SessionStoreError('GONE', 'the session was destroyed or has expired; it was not saved')
    : new SessionStoreError(
        'GONE',
        'the session was destroyed or has expired; whether it was saved before is unknown',
        uncertain,
      )

/**
 * Publishes something that happened to a session. `handle` is only computed where somebody listens.
 */
export function publish(
  event: 'conflict' | 'gone' | 'unreadable' | 'ended',
  driver: string,
  handle: () => string,
  error?: unknown,
): void {
  if (!events[event].hasSubscribers) return
  const message: SessionEvent = { driver, handle: handle() }
  if (error !== undefined) message.error = error
  events[event].publish(message)
}

/** @throws INVALID_SESSION where the object is not a session. */
export function cookieOf(object: SessionData): SessionData['cookie'] {
  const cookie = object?.cookie
  if (typeof cookie !== 'object' || cookie === null)
    throw new SessionStoreError('INVALID_SESSION', 'a session must be an object with a cookie')
  return cookie
}

/**
 * The longest pause between two attempts of a save that other requests keep overtaking.
 * Milliseconds.
 */
const MAX_PAUSE = 32

/**
 * Returns a random pause, in milliseconds, before another attempt, so that two processes do not
 * meet again.
 */
export const retryDelay = (attempts: number): number => Math.random() * Math.min(2 ** attempts, MAX_PAUSE)

/** Calls `retry` at once after the first attempt, and after a random pause when there were more. */
export function retryAfter(attempts: number, retry: () => void): void {
  if (attempts === 0) retry()
  else pause(retryDelay(attempts)).then(retry, retry)
}

/**
 * Whether express-session generated this object, or read it, for a request. The application may
 * have loaded another copy of express-session, whose class is another one, but whose sessions hold
 * their request in the same way.
 */
export function isGenerated(object: object): boolean {
  if (object instanceof session.Session) return true
  const request = Object.getOwnPropertyDescriptor(object, 'req')
  return request?.enumerable === false && request.value?.sessionStore !== undefined
}

/** What the classes that save, update and end sessions share. */
export interface SaveParts {
  dispatcher: Dispatcher
  codec: Codec
  keys: Keys
  settings: Settings
  order: Order
  tags: Tags
  writes: WriteFactory
}

/**
 * Marks the object of a save with what was written. `isPartial`: the row holds changes of other
 * requests that the object lacks.
 */
export function markSaved({ id, key, object, text, cookie }: Save, write: Write, isPartial: boolean): void {
  const { tag, user, createdAt, expiresAt } = write
  const marker = new Marker(id, key, tag, text, user, createdAt, expiresAt, cookie)
  marker.isPartial = isPartial
  mark(object, marker)
}
