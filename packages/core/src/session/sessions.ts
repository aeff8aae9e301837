import type { SessionData } from 'express-session'
import type { Call } from '../dispatch/call.ts'
import type { Backend } from '../dispatch/dispatcher.ts'
import { type Done, settle } from '../dispatch/settle.ts'
import type { Row, Touch, Write } from '../driver.ts'
import type { Codec } from '../encoding/codec.ts'
import { type Keys, userOf } from '../encoding/key.ts'
import { SessionStoreError } from '../errors.ts'
import type { Settings } from '../options.ts'
import {
  CookieSettings,
  hasExpiry,
  idleDeadline,
  isLive,
  roundTouch,
  sameSettings,
  withinAbsolute,
} from './deadline.ts'
import { Marker, mark, markerOf, Tags } from './marker.ts'
import type { Order, Owner } from './order.ts'
import { NEVER, Save, Saves } from './saves.ts'

class Move implements Touch {
  readonly key: string
  readonly user: Row['user']
  readonly expiresAt: number
  readonly tag: string | undefined

  constructor(key: string, user: Row['user'], expiresAt: number, tag: string | undefined) {
    this.key = key
    this.user = user
    this.expiresAt = expiresAt
    this.tag = tag
  }
}

/** The end of a session that no call of the application waits for by itself, as a step of a larger one. */
class End implements Owner {
  done = false
  release: (() => void) | undefined
  readonly #answer: (error: unknown) => void

  constructor(answer: (error: unknown) => void) {
    this.#answer = answer
  }

  finish(error: unknown): void {
    if (this.done) return
    this.done = true
    const { release } = this
    this.release = undefined
    release?.()
    this.#answer(error)
  }
}

/** What `get`, `set`, `touch` and `destroy` mean, for one session at a time. */
export class Sessions {
  readonly #backend: Backend
  readonly #codec: Codec
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #order: Order
  readonly #tags = new Tags()
  readonly #saves: Saves

  constructor(backend: Backend, codec: Codec, keys: Keys, settings: Settings, order: Order) {
    this.#order = order
    this.#backend = backend
    this.#codec = codec
    this.#keys = keys
    this.#settings = settings
    this.#saves = new Saves({ backend, codec, keys, settings, order, tags: this.#tags })
  }

  get(call: Call<SessionData | null>, id: string): void {
    const key = this.#keys.find(id)
    // A cookie of another system, or a forged one: nobody has that session.
    if (key === undefined) return call.finish(null, null)
    this.#order.read(key, call, () => {
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
    const marker = markerOf(object, id)
    const key = marker ? marker.key : this.#keys.find(id)
    if (key === undefined) return call.finish(null)
    // Of an object whose only saves got no answer nothing is known.
    const known = marker !== undefined && marker.tag !== '' ? marker : undefined
    const { idleTimeout, absoluteTimeout, touchAfter } = this.#settings
    const now = this.#settings.now()
    const settings = new CookieSettings(cookie)
    if (known && !sameSettings(known.cookie, settings))
      return this.#saveCookie(call, known, object, cookie, settings)
    const idle = roundTouch(idleDeadline(cookie, now, idleTimeout), now)
    const expiresAt = withinAbsolute(idle, known?.createdAt ?? now, absoluteTimeout)
    if (known && touchAfter > 0) {
      const gain = expiresAt - known.expiresAt
      if (gain >= 0 && gain < touchAfter && known.expiresAt - now > touchAfter) return call.finish(null)
    }
    const user = known ? known.user : userOf(object, this.#settings)
    this.#order.touch(key, call, () => {
      const end = (error: unknown): void => {
        if (error == null && known) {
          known.expiresAt = expiresAt
          known.cookie.expires = settings.expires
        }
        call.finish(error)
      }
      // Whoever saved meanwhile decided the deadline (expressjs/session#564).
      if (known || absoluteTimeout === 0)
        return this.#backend.touch(new Move(key, user, expiresAt, known?.tag), end)
      this.#backend.read(key, (error, row) => {
        if (error != null || call.done || row === undefined || !this.isLive(row)) return end(error)
        const deadline = withinAbsolute(idle, row.createdAt, absoluteTimeout)
        this.#backend.touch(new Move(key, user, deadline, undefined), end)
      })
    })
  }

  destroy(call: Call<void>, id: string): void {
    const key = this.#keys.find(id)
    if (key === undefined) return call.finish(null)
    this.#order.write(key, call, () => this.#endFound(call, id, key))
  }

  /** Looks first, for what is written where no session is must not keep the next one of this id away. */
  #endFound(call: Call<void>, id: string, key: string): void {
    const handle = this.#keys.asHandle(id)
    const end = (row: Row | undefined): void => {
      const tombstone = this.#tombstone(key)
      const { createdAt: now } = tombstone
      const wasThere =
        row !== undefined && (row.data !== null || (row.createdAt !== NEVER && row.expiresAt > now))
      const write = wasThere ? tombstone : { ...tombstone, createdAt: NEVER }
      this.#backend.write(write, (error) => call.finish(error), call)
    }
    this.#backend.read(key, (error, row) => {
      if (error != null || call.done) return call.finish(error)
      if (row !== undefined || handle === undefined) return end(row)
      // `all` and `ids` name sessions by their handles, and whoever goes through them means the session.
      this.#backend.read(handle, (failure, named) => {
        if (failure != null || call.done) return call.finish(failure)
        if (named === undefined || !this.isLive(named)) return end(row)
        this.end(handle).then(
          () => call.finish(null),
          (thrown) => call.finish(thrown),
        )
      })
    })
  }

  /** Destroys the session of this key. */
  end(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#end(key, new End((error) => (error == null ? resolve() : reject(error))))
    })
  }

  /**
   * Destroys the session of a request that is to have a new one. Answers with `GONE` where the session was there when
   * it was read, and has been ended meanwhile: what the request knows of it must not get into a new session.
   */
  leave(call: Call<void>, id: string, object: object | null | undefined): void {
    const known = isObject(object) ? markerOf(object, id) : undefined
    if (known === undefined) return this.destroy(call, id)
    const { key } = known
    this.#order.write(key, call, () => {
      const again = (): void => {
        if (call.done) return
        this.#backend.read(key, (error, row) => {
          if (error != null || call.done) return call.finish(error)
          if (row !== undefined && this.isLive(row)) {
            // Only over what was just seen to be alive: whoever ends it at this moment is first.
            this.#backend.write(
              this.#tombstone(key, row.tag),
              (failure, landed) => {
                if (failure != null || landed) call.finish(failure)
                else again()
              },
              call,
            )
          } else if (known.tag !== '' || row?.data === null)
            call.finish(new SessionStoreError('GONE', 'the session was ended while a request used it'))
          // Its first save got no answer, and may still be on its way.
          else this.#backend.write(this.#tombstone(key), (failure) => call.finish(failure), call)
        })
      }
      again()
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

  /** What stores this session as its user's, by the option `user`; nothing where the row says so already. */
  async withUser(row: Row): Promise<Write | undefined> {
    const { key, createdAt, expiresAt, tag } = row
    const text = this.#codec.unwrap(row)
    const user = userOf(await this.#codec.toSession(text), this.#settings)
    if (user === row.user) return undefined
    const data = this.#codec.wrap(text, { key, user, createdAt })
    return { key, data, tag: this.#tags.next(), user, createdAt, expiresAt, expect: tag, extend: true }
  }

  /** The session of a live row; with the id that it was asked for by, marked with what the row says. */
  revive(row: Row, done: Done<SessionData>, id?: string): void {
    let text = ''
    settle(
      () => {
        text = this.#codec.unwrap(row)
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
    // The row's deadline moves with touches, the cookie inside stays as it was saved (connect-mongo#351).
    if (hasExpiry(cookie)) cookie.expires = new Date(expiresAt)
    if (id === undefined) return
    const settings = new CookieSettings(cookie)
    mark(found, new Marker(id, key, tag, text, user, createdAt, expiresAt, settings))
  }

  #end(key: string, owner: Owner): void {
    this.#order.write(key, owner, () => {
      this.#backend.write(this.#tombstone(key), (error) => owner.finish(error), owner)
    })
  }

  /** `expect`: only over the session that carries this tag. */
  #tombstone(key: string, expect?: string): Write {
    const now = this.#settings.now()
    const expiresAt = now + this.#settings.tombstoneTimeout
    return { key, data: null, tag: this.#tags.next(), user: null, createdAt: now, expiresAt, expect }
  }

  /** A touch that lasts: the session as stored, with the cookie as it is now (expressjs/session#452). */
  #saveCookie(
    call: Call<void>,
    known: Marker,
    object: SessionData,
    cookie: SessionData['cookie'],
    settings: CookieSettings,
  ): void {
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

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

function cookieOf(object: SessionData): SessionData['cookie'] {
  const cookie = object?.cookie
  if (typeof cookie !== 'object' || cookie === null)
    throw new SessionStoreError('INVALID_SESSION', 'a session must be an object with a cookie')
  return cookie
}
