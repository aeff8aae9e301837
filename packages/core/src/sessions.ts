import type { SessionData } from 'express-session'
import type { Backend } from './backend.ts'
import type { Call } from './call.ts'
import type { Codec } from './codec.ts'
import type { Row, Touch, Write } from './driver.ts'
import { SessionStoreError } from './errors.ts'
import {
  CookieSettings,
  hasExpiry,
  idleDeadline,
  isLive,
  roundTouch,
  sameSettings,
  withinAbsolute,
} from './expiry.ts'
import { type Keys, userOf } from './key.ts'
import { type Marker, mark, markerOf, Tags } from './marker.ts'
import type { Settings } from './options.ts'
import { Order } from './order.ts'
import { Save, Saves } from './saves.ts'
import { type Done, settle } from './settle.ts'

class Move implements Touch {
  readonly key: string
  readonly user: Row['user']
  readonly expiresAt: number

  constructor(key: string, user: Row['user'], expiresAt: number) {
    this.key = key
    this.user = user
    this.expiresAt = expiresAt
  }
}

/** What `get`, `set`, `touch` and `destroy` mean, for one session at a time. */
export class Sessions {
  readonly #backend: Backend
  readonly #codec: Codec
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #order = new Order()
  readonly #tags = new Tags()
  readonly #saves: Saves

  constructor(backend: Backend, codec: Codec, keys: Keys, settings: Settings) {
    this.#backend = backend
    this.#codec = codec
    this.#keys = keys
    this.#settings = settings
    this.#saves = new Saves({ backend, codec, keys, settings, order: this.#order, tags: this.#tags })
  }

  get(call: Call<SessionData | null>, id: string): void {
    const key = this.#keys.key(id)
    this.#order.read(key, () => {
      if (call.done) return
      this.#backend.read(key, (error, row) => {
        if (error != null) call.finish(error)
        else if (row === undefined || !this.isLive(row)) call.finish(null, null)
        else this.revive(row, (failure, found) => call.finish(failure, found), id)
      })
    })
  }

  set(call: Call<void>, id: string, object: SessionData): void {
    const cookie = cookieOf(object)
    const key = this.#keyOf(id, object)
    const text = this.#codec.toText(object)
    // It may fail before its turn comes; the turn reports it.
    if (typeof text !== 'string') text.catch(() => {})
    this.#saves.save(call, new Save(id, key, object, new CookieSettings(cookie), this.#settings), () => text)
  }

  touch(call: Call<void>, id: string, object: SessionData): void {
    const cookie = cookieOf(object)
    const known = markerOf(object, id)
    const key = known ? known.key : this.#keys.key(id)
    const { idleTimeout, absoluteTimeout, touchAfter } = this.#settings
    const now = this.#settings.now()
    if (known && !sameSettings(known.cookie, new CookieSettings(cookie)))
      return this.#saveCookie(call, known, object, cookie)
    const idle = roundTouch(idleDeadline(cookie, now, idleTimeout), now)
    const expiresAt = withinAbsolute(idle, known?.createdAt ?? now, absoluteTimeout)
    if (known && touchAfter > 0) {
      const gain = expiresAt - known.expiresAt
      if (gain >= 0 && gain < touchAfter && known.expiresAt - now > touchAfter) return call.finish(null)
    }
    const user = known ? known.user : userOf(object, this.#settings)
    this.#order.touch(key, (release) => {
      const end = (error: unknown): void => {
        if (error == null && known) known.expiresAt = expiresAt
        release()
        call.finish(error)
      }
      if (call.done) return release()
      if (known || absoluteTimeout === 0) return this.#backend.touch(new Move(key, user, expiresAt), end)
      this.#backend.read(key, (error, row) => {
        if (error != null || row === undefined || !this.isLive(row)) return end(error)
        const deadline = withinAbsolute(idle, row.createdAt, absoluteTimeout)
        this.#backend.touch(new Move(key, user, deadline), end)
      })
    })
  }

  destroy(call: Call<void>, id: string): void {
    this.#end(
      this.#keys.key(id),
      () => call.done,
      (error) => call.finish(error),
    )
  }

  /** Destroys the session of this key. */
  end(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#end(
        key,
        () => false,
        (error) => (error == null ? resolve() : reject(error)),
      )
    })
  }

  /** Whether the row is a session by the application's clock, whatever the database still holds. */
  isLive(row: Row): boolean {
    return isLive(row, this.#settings)
  }

  /** When the session of this row ends, in epoch milliseconds. */
  deadline(row: Row): number {
    return withinAbsolute(row.expiresAt, row.createdAt, this.#settings.absoluteTimeout)
  }

  /** The session of a live row; with the id that it was asked for by, marked with what the row says. */
  revive(row: Row, done: Done<SessionData>, id?: string): void {
    let text = ''
    settle(
      () => {
        text = this.#codec.unwrap(row.data!, row.key)
        return this.#codec.toSession(text)
      },
      (error, found) => {
        if (error != null) return done(error)
        try {
          this.#adopt(found!, row, text, id)
        } catch (failure) {
          return done(
            new SessionStoreError('CORRUPT', 'the serializer returned what cannot be changed', failure),
          )
        }
        done(null, found)
      },
    )
  }

  #adopt(found: SessionData, row: Row, text: string, id: string | undefined): void {
    const { key, tag, user, createdAt } = row
    const { cookie } = found
    const expiresAt = this.deadline(row)
    if (id !== undefined)
      mark(found, { id, key, tag, text, user, createdAt, expiresAt, cookie: new CookieSettings(cookie) })
    // The row's deadline moves with touches, the cookie inside stays as it was saved (connect-mongo#351).
    if (hasExpiry(cookie)) cookie.expires = new Date(expiresAt)
  }

  #end(key: string, isOver: () => boolean, done: Done<void>): void {
    this.#order.write(key, (release) => {
      if (isOver()) return release()
      const now = this.#settings.now()
      const expiresAt = now + this.#settings.tombstoneTimeout
      const tombstone: Write = {
        key,
        data: null,
        tag: this.#tags.next(),
        user: null,
        createdAt: now,
        expiresAt,
      }
      this.#backend.write(tombstone, (error) => {
        release()
        done(error)
      })
    })
  }

  /** A touch that lasts: the session as stored, with the cookie as it is now (expressjs/session#452). */
  #saveCookie(call: Call<void>, known: Marker, object: SessionData, cookie: SessionData['cookie']): void {
    const settings = new CookieSettings(cookie)
    const plain = (cookie as { toJSON?: () => object }).toJSON?.() ?? { ...cookie }
    const save = new Save(known.id, known.key, object, settings, this.#settings)
    this.#saves.save(call, save, async () => {
      const { text } = markerOf(object, known.id) ?? known
      const stored = await this.#codec.toSession(text)
      return this.#codec.toText({ ...stored, cookie: plain as SessionData['cookie'] })
    })
  }

  #keyOf(id: string, object: SessionData): string {
    return markerOf(object, id)?.key ?? this.#keys.key(id)
  }
}

function cookieOf(object: SessionData): SessionData['cookie'] {
  const cookie = object?.cookie
  if (typeof cookie !== 'object' || cookie === null)
    throw new SessionStoreError('INVALID_SESSION', 'a session must be an object with a cookie')
  return cookie
}
