import type { SessionData } from 'express-session'
import type { Call, Owner } from '../dispatch/call.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { type Done, settle } from '../dispatch/settle.ts'
import type { Row, Write } from '../driver.ts'
import type { Codec } from '../encoding/codec.ts'
import type { Keys } from '../encoding/key.ts'
import { SessionStoreError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { CookieSettings, hasExpiry, hasSameSettings } from './cookie.ts'
import { idleDeadline, isLive, roundTouch, withinAbsolute } from './deadline.ts'
import { Marker, mark, markerOf } from './marker.ts'
import type { Order } from './order.ts'
import { NEVER, Save } from './save.ts'
import { Saves } from './saves.ts'
import { SentTouch } from './sent.ts'
import { Tags } from './tag.ts'
import { userOf } from './user.ts'

/** The destruction of a session as a step of a larger call, such as `revokeUser`. */
class DestroyStep implements Owner {
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

/** What `get`, `set`, `touch`, `destroy` and `regenerate` mean, for one session at a time. */
export class Sessions {
  readonly #dispatcher: Dispatcher
  readonly #codec: Codec
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #order: Order
  readonly #tags = new Tags()
  readonly #saves: Saves

  constructor(dispatcher: Dispatcher, codec: Codec, keys: Keys, settings: Settings, order: Order) {
    this.#dispatcher = dispatcher
    this.#codec = codec
    this.#keys = keys
    this.#settings = settings
    this.#order = order
    this.#saves = new Saves({ dispatcher, codec, keys, settings, order, tags: this.#tags })
  }

  get(call: Call<SessionData | null>, id: string): void {
    const key = this.#keys.find(id)
    // The cookie is another system's or forged: no session can have this id.
    if (key === undefined) return call.finish(null, null)
    this.#order.read(key, call, () => {
      this.#dispatcher.read(key, (error, row) => {
        if (error != null) call.finish(error)
        else if (row === undefined || !this.isLive(row)) call.finish(null, null)
        else this.decode(row, (failure, found) => call.finish(failure, found), id)
      })
    })
  }

  set(call: Call<void>, id: string, object: SessionData): void {
    const cookie = cookieOf(object)
    const key = markerOf(object, id)?.key ?? this.#keys.key(id)
    const text = this.#codec.toText(object)
    // The serializer may fail before the turn of the save comes, which then reports the error.
    if (typeof text !== 'string') text.catch(() => {})
    this.#saves.save(call, new Save(id, key, object, new CookieSettings(cookie), this.#settings), () => text)
  }

  touch(call: Call<void>, id: string, object: SessionData): void {
    const cookie = cookieOf(object)
    const marker = markerOf(object, id)
    const key = marker ? marker.key : this.#keys.find(id)
    if (key === undefined) return call.finish(null)
    // Nothing is known about the row while no save of the object has been answered.
    const known = marker !== undefined && marker.tag !== '' ? marker : undefined
    const { idleTimeout, absoluteTimeout, touchAfter } = this.#settings
    const now = this.#settings.now()
    const settings = new CookieSettings(cookie)
    if (known && !hasSameSettings(known.cookie, settings))
      return this.#saveCookie(call, known, object, cookie, settings)
    const idle = roundTouch(idleDeadline(cookie, now, idleTimeout), now)
    const expiresAt = withinAbsolute(idle, known?.createdAt ?? now, absoluteTimeout)
    if (known && touchAfter > 0) {
      const gain = expiresAt - known.expiresAt
      if (gain >= 0 && gain < touchAfter && known.expiresAt - now > touchAfter) return call.finish(null)
    }
    const user = known ? known.user : userOf(object, this.#settings)
    this.#order.touch(key, call, () => {
      const finish = (error: unknown): void => {
        if (error == null && known) {
          known.expiresAt = expiresAt
          known.cookie.expires = settings.expires
        }
        call.finish(error)
      }
      // With the tag, a request that saved meanwhile keeps its deadline (expressjs/session#564).
      if (known || absoluteTimeout === 0)
        return this.#dispatcher.touch(new SentTouch(key, user, expiresAt, known?.tag), finish)
      this.#dispatcher.read(key, (error, row) => {
        if (error != null || call.done || row === undefined || !this.isLive(row)) return finish(error)
        const deadline = withinAbsolute(idle, row.createdAt, absoluteTimeout)
        this.#dispatcher.touch(new SentTouch(key, user, deadline, undefined), finish)
      })
    })
  }

  destroy(call: Call<void>, id: string): void {
    const key = this.#keys.find(id)
    if (key === undefined) return call.finish(null)
    this.#order.write(key, call, () => this.#destroyFound(call, id, key))
  }

  /**
   * Reads first: a tombstone where there is no session must not keep the next session of this id
   * away.
   */
  #destroyFound(call: Call<void>, id: string, key: string): void {
    const handle = this.#keys.asHandle(id)
    const writeTombstone = (row: Row | undefined): void => {
      const tombstone = this.#tombstone(key)
      const { createdAt: now } = tombstone
      const wasThere =
        row !== undefined && (row.data !== null || (row.createdAt !== NEVER && row.expiresAt > now))
      const write = wasThere ? tombstone : { ...tombstone, createdAt: NEVER }
      this.#dispatcher.write(write, (error) => call.finish(error), call)
    }
    this.#dispatcher.read(key, (error, row) => {
      if (error != null || call.done) return call.finish(error)
      if (row !== undefined || handle === undefined) return writeTombstone(row)
      // `all` and `ids` return handles. A caller who passes one on means its session.
      this.#dispatcher.read(handle, (failure, named) => {
        if (failure != null || call.done) return call.finish(failure)
        if (named === undefined || !this.isLive(named)) return writeTombstone(row)
        this.destroyKey(handle).then(
          () => call.finish(null),
          (thrown) => call.finish(thrown),
        )
      })
    })
  }

  /** Destroys the session of this key, as a step of a larger call. */
  destroyKey(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = new DestroyStep((error) => (error == null ? resolve() : reject(error)))
      this.#order.write(key, step, () => {
        this.#dispatcher.write(this.#tombstone(key), (error) => step.finish(error), step)
      })
    })
  }

  /**
   * Destroys the session of a request that is to get a new one. Answers with `GONE` where the
   * request had read the session and it has ended since: what the request knows must not get into a
   * new session.
   */
  regenerate(call: Call<void>, id: string, object: object | null | undefined): void {
    const marker = isObject(object) ? markerOf(object, id) : undefined
    if (marker === undefined) return this.destroy(call, id)
    const { key } = marker
    this.#order.write(key, call, () => {
      const attempt = (): void => {
        if (call.done) return
        this.#dispatcher.read(key, (error, row) => {
          if (error != null || call.done) return call.finish(error)
          if (row !== undefined && this.isLive(row)) {
            // The tombstone names the version that was just read, so another logout at this moment
            // wins.
            this.#dispatcher.write(
              this.#tombstone(key, row.tag),
              (failure, landed) => {
                if (failure != null || landed) call.finish(failure)
                else attempt()
              },
              call,
            )
          } else if (marker.tag !== '' || row?.data === null)
            call.finish(new SessionStoreError('GONE', 'the session was ended while a request used it'))
          // The first save of the object got no answer, and may still be on its way.
          else this.#dispatcher.write(this.#tombstone(key), (failure) => call.finish(failure), call)
        })
      }
      attempt()
    })
  }

  /**
   * Whether the row is a live session by the application's clock, whatever the database still
   * holds.
   */
  isLive(row: Row): boolean {
    return isLive(row, this.#settings)
  }

  /** Returns when the session of this row ends, in epoch milliseconds. */
  deadline(row: Row): number {
    return withinAbsolute(row.expiresAt, row.createdAt, this.#settings.absoluteTimeout)
  }

  /**
   * Returns the write that stores this session as the session of its user, by the option `user`, or
   * `undefined` where the row says so already.
   */
  async toWriteWithUser(row: Row): Promise<Write | undefined> {
    const { key, createdAt, expiresAt, tag } = row
    const text = this.#codec.unwrap(row)
    const user = userOf(await this.#codec.toSession(text), this.#settings)
    if (user === row.user) return undefined
    const data = this.#codec.wrap(text, { key, user, createdAt })
    return { key, data, tag: this.#tags.next(), user, createdAt, expiresAt, expect: tag, extend: true }
  }

  /** Decodes a live row. With the id under which it was requested, the session gets a marker. */
  decode(row: Row, done: Done<SessionData>, id?: string): void {
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
            new SessionStoreError(
              'CORRUPT',
              'the serializer returned an object that cannot be changed',
              failure,
            ),
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
    // Touches move the deadline of the row, but not that of the stored cookie (connect-mongo#351).
    if (hasExpiry(cookie)) cookie.expires = new Date(expiresAt)
    if (id === undefined) return
    const settings = new CookieSettings(cookie)
    mark(found, new Marker(id, key, tag, text, user, createdAt, expiresAt, settings))
  }

  /** With `expect`, the tombstone lands only over the session that carries this tag. */
  #tombstone(key: string, expect?: string): Write {
    const now = this.#settings.now()
    const expiresAt = now + this.#settings.tombstoneTimeout
    return { key, data: null, tag: this.#tags.next(), user: null, createdAt: now, expiresAt, expect }
  }

  /**
   * A changed cookie has to last, so the touch saves the stored session with it
   * (expressjs/session#452).
   */
  #saveCookie(
    call: Call<void>,
    marker: Marker,
    object: SessionData,
    cookie: SessionData['cookie'],
    settings: CookieSettings,
  ): void {
    const plain = (cookie as { toJSON?: () => object }).toJSON?.() ?? { ...cookie }
    const save = new Save(marker.id, marker.key, object, settings, this.#settings)
    this.#saves.save(call, save, async () => {
      const { text } = markerOf(object, marker.id) ?? marker
      const stored = await this.#codec.toSession(text)
      return this.#codec.toText({ ...stored, cookie: plain as SessionData['cookie'] })
    })
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

function cookieOf(object: SessionData): SessionData['cookie'] {
  const cookie = object?.cookie
  if (typeof cookie !== 'object' || cookie === null)
    throw new SessionStoreError('INVALID_SESSION', 'a session must be an object with a cookie')
  return cookie
}
