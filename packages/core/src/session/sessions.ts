import type { SessionData } from 'express-session'
import type { Call } from '../dispatch/call.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { type Done, settle, toPromise } from '../dispatch/settle.ts'
import type { Row, Write } from '../driver.ts'
import type { Codec } from '../encoding/codec.ts'
import type { Keys } from '../encoding/key.ts'
import { SessionStoreError } from '../errors.ts'
import type { LegacyReader, LegacyRow, MoveOptions, MoveOutcome } from '../legacy.ts'
import { Known } from '../near/known.ts'
import type { Near } from '../near/near.ts'
import type { Settings } from '../options.ts'
import { CookieSettings, hasExpiry, hasSameSettings } from './cookie.ts'
import { idleDeadline, isLive, roundTouch, withinAbsolute } from './deadline.ts'
import { Endings, type Version } from './endings.ts'
import { type ListedSession, Lookups } from './lookups.ts'
import { Marker, mark, markerOf } from './marker.ts'
import { Moves } from './moves.ts'
import type { Order } from './order.ts'
import { cookieOf, Save, WriteFactory } from './save.ts'
import { Saves } from './saves.ts'
import { SentTouch } from './sent.ts'
import { Tags } from './tag.ts'
import { type Change, type Target, Updates } from './updates.ts'
import { userOf } from './user.ts'

/** What `set`, `touch`, `destroy` and `regenerate` mean, for one session at a time. */
export class Sessions {
  readonly #dispatcher: Dispatcher
  readonly #codec: Codec
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #order: Order
  /** Answers lookups. */
  readonly lookups: Lookups
  /** Moves sessions in from another store. */
  readonly moves: Moves
  readonly #tags = new Tags()
  readonly #saves: Saves
  readonly #updates: Updates
  readonly #endings: Endings

  constructor(
    dispatcher: Dispatcher,
    codec: Codec,
    keys: Keys,
    settings: Settings,
    order: Order,
    near: Near,
  ) {
    this.#dispatcher = dispatcher
    this.#codec = codec
    this.#keys = keys
    this.#settings = settings
    this.#order = order
    const writes = new WriteFactory(codec, settings, this.#tags)
    this.moves = new Moves({ dispatcher, codec, keys, settings, tags: this.#tags, writes })
    const { moves } = this
    const parts = { dispatcher, codec, keys, settings, order, tags: this.#tags, writes, moves }
    this.#saves = new Saves(parts)
    this.#endings = new Endings(parts)
    this.lookups = new Lookups({
      ...parts,
      near,
      decode: (row, done, id) => this.decode(row, done, id),
      toListed: (row, session) => this.toListed(row, session),
    })
    this.#updates = new Updates({
      ...parts,
      decode: (row, id) => toPromise((done) => this.decode(row, done, id)),
    })
  }

  /** Moves in a session that a scan of another store returned. */
  moveIn(call: Call<MoveOutcome>, from: LegacyReader, row: LegacyRow, options: MoveOptions): void {
    settle(
      () => this.moves.moveIn(from, row, options, call),
      (error, outcome) => call.finish(error, outcome),
    )
  }

  update(call: Call<SessionData | null>, target: Target, change: Change): void {
    this.#updates.update(call, target, change)
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
    this.#endings.destroy(call, id)
  }

  /** Ends the session of this live row. Resolves with whether it did: see `Endings.endRow`. */
  endRow(row: Version, isWanted: (row: Row) => boolean): Promise<boolean> {
    return this.#endings.endRow(row, isWanted)
  }

  regenerate(call: Call<void>, id: string, object: object | null | undefined): void {
    this.#endings.regenerate(call, id, object)
  }

  toListed(row: Row, session: SessionData): ListedSession {
    const { key, createdAt } = row
    return { handle: this.#keys.handle(key), createdAt, expiresAt: this.deadline(row), session }
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
        text = row instanceof Known ? row.open(this.#codec) : this.#codec.unwrap(row)
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
