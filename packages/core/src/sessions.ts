import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import session, { type SessionData } from 'express-session'
import type { Backend } from './backend.ts'
import type { Call } from './call.ts'
import type { Codec } from './codec.ts'
import { merge } from './conflict.ts'
import type { Awaitable, Row, Write } from './driver.ts'
import { SessionStoreError } from './errors.ts'
import { events, type SessionEvent } from './events.ts'
import {
  type CookieSettings,
  hasExpiry,
  idleDeadline,
  roundTouch,
  sameSettings,
  settingsOf,
} from './expiry.ts'
import { type Keys, userHash } from './key.ts'
import { type Marker, mark, markerOf } from './marker.ts'
import type { Settings } from './options.ts'
import { Order } from './order.ts'
import { type Done, settle } from './settle.ts'

/** A save on its way: what is to be written, and the object that the application holds. */
interface Save {
  id: string
  key: string
  object: SessionData
  text: string
  user: Row['user']
  expiresAt: number
  cookie: CookieSettings
}

/** No row has this tag: an update that expects it is refused, and so looks before it writes. */
const LOOK_FIRST = '-'

/** The longest pause, in milliseconds, between two tries of a save that others keep getting ahead of. */
const MAX_PAUSE = 32

/** What `get`, `set`, `touch` and `destroy` mean, for one session at a time. */
export class Sessions {
  readonly #backend: Backend
  readonly #codec: Codec
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #order = new Order()
  readonly #tagPrefix = `${randomBytes(9).toString('base64url')}.`
  #tags = 0

  constructor(backend: Backend, codec: Codec, keys: Keys, settings: Settings) {
    this.#backend = backend
    this.#codec = codec
    this.#keys = keys
    this.#settings = settings
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
    this.#save(call, id, key, object, settingsOf(cookie), () => text)
  }

  touch(call: Call<void>, id: string, object: SessionData): void {
    const cookie = cookieOf(object)
    const known = markerOf(object, id)
    const key = known ? known.key : this.#keys.key(id)
    const { idleTimeout, touchAfter } = this.#settings
    const now = this.#settings.now()
    if (known && !sameSettings(known.cookie, settingsOf(cookie)))
      return this.#saveCookie(call, known, object, cookie)
    const idle = roundTouch(idleDeadline(cookie, now, idleTimeout), now)
    const expiresAt = this.#withinAbsolute(idle, known?.createdAt ?? now)
    if (known && touchAfter > 0) {
      const gain = expiresAt - known.expiresAt
      if (gain >= 0 && gain < touchAfter && known.expiresAt - now > touchAfter) return call.finish(null)
    }
    const user = known ? known.user : this.#userOf(object)
    this.#order.touch(key, (release) => {
      const end = (error: unknown): void => {
        if (error == null && known) known.expiresAt = expiresAt
        release()
        call.finish(error)
      }
      if (call.done) return release()
      if (known || this.#settings.absoluteTimeout === 0)
        return this.#backend.touch({ key, user, expiresAt }, end)
      this.#backend.read(key, (error, row) => {
        if (error != null || row === undefined || !this.isLive(row)) return end(error)
        this.#backend.touch({ key, user, expiresAt: this.#withinAbsolute(idle, row.createdAt) }, end)
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
    return row.data !== null && this.deadline(row) > this.#settings.now()
  }

  /** When the session of this row ends, in epoch milliseconds. */
  deadline(row: Row): number {
    return this.#withinAbsolute(row.expiresAt, row.createdAt)
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
      mark(found, { id, key, tag, text, user, createdAt, expiresAt, cookie: settingsOf(cookie) })
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
        tag: this.#nextTag(),
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
    const settings = settingsOf(cookie)
    const plain = (cookie as { toJSON?: () => object }).toJSON?.() ?? { ...cookie }
    this.#save(call, known.id, known.key, object, settings, async () => {
      const { text } = markerOf(object, known.id) ?? known
      const stored = await this.#codec.toSession(text)
      return this.#codec.toText({ ...stored, cookie: plain as SessionData['cookie'] })
    })
  }

  #save(
    call: Call<void>,
    id: string,
    key: string,
    object: SessionData,
    cookie: CookieSettings,
    encode: () => Awaitable<string>,
  ): void {
    const idle = idleDeadline(object.cookie, this.#settings.now(), this.#settings.idleTimeout)
    const user = this.#userOf(object)
    this.#order.write(key, (release) => {
      const end = (error: unknown): void => {
        release()
        call.finish(error)
      }
      if (call.done) return release()
      settle(encode, (error, text) => {
        if (error != null || call.done) return end(error)
        this.#send(call, { id, key, object, text: text!, user, expiresAt: idle, cookie }, end)
      })
    })
  }

  #send(call: Call<void>, save: Save, end: (error: unknown) => void): void {
    const { id, object } = save
    const known = markerOf(object, id)
    if (known) return this.#try(call, save, known, known.createdAt, known.tag, end)
    const expect = object instanceof session.Session ? '' : undefined
    if (expect === '' || this.#settings.absoluteTimeout === 0)
      return this.#try(call, save, known, this.#settings.now(), expect, end)
    this.#beginning(save.key).then((createdAt) => this.#try(call, save, known, createdAt, expect, end), end)
  }

  /** When the session of a plain object began: the object does not know, the row does. */
  async #beginning(key: string): Promise<number> {
    const row = await this.#read(key)
    const now = this.#settings.now()
    if (row === undefined || row.data === null || row.expiresAt <= now) return now
    if (this.isLive(row)) return row.createdAt
    // Past its absolute end, but not by its row: it would hand on its beginning to what replaces it.
    await this.#landed({ ...row, data: null, tag: this.#nextTag(), expiresAt: now })
    return now
  }

  #try(
    call: Call<void>,
    save: Save,
    known: Marker | undefined,
    createdAt: number,
    expect: string | undefined,
    end: (error: unknown) => void,
  ): void {
    const { key, text } = save
    let write: Write
    try {
      write = this.#write(save, text, createdAt, expect)
    } catch (error) {
      return end(error)
    }
    this.#backend.write(write, (error, landed) => {
      if (error != null) return end(error)
      if (landed) {
        if (expect !== undefined) this.#mark(save, write, write.tag)
        return end(null)
      }
      // Only a tombstone refuses an upsert.
      if (expect === undefined) return end(this.#gone(key))
      this.#resolve(call, save, known).then(end, end)
    })
  }

  /** After a refusal: reads the row again and does what `onConflict` and `onGone` say. Fulfils with an error, or null. */
  async #resolve(call: Call<void>, save: Save, known: Marker | undefined): Promise<SessionStoreError | null> {
    const { onConflict } = this.#settings
    const { key } = save
    for (let tries = 0; !call.done; tries++) {
      if (tries > 0) await pause(Math.random() * Math.min(2 ** tries, MAX_PAUSE))
      const row = await this.#read(key)
      if (row === undefined || !this.isLive(row)) return this.#gone(key)
      if (tries === 0) this.#publish('conflict', key)
      if (onConflict === 'error')
        return new SessionStoreError(
          'CONFLICT',
          'somebody else saved the session meanwhile; read it again and retry',
        )
      const merged = onConflict === 'merge' ? await this.#merge(save, known, row) : save
      const write = this.#write({ ...save, ...merged }, merged.text, row.createdAt, row.tag)
      if (!(await this.#landed(write))) continue
      // The object lacks what the others wrote: its next save has to merge again, from what it holds now.
      this.#mark(save, write, merged.text === save.text ? write.tag : LOOK_FIRST)
      return null
    }
    return null
  }

  async #merge(
    save: Save,
    known: Marker | undefined,
    row: Row,
  ): Promise<Pick<Save, 'text' | 'user' | 'expiresAt'>> {
    const decode = (text: string) => this.#codec.toSession(text)
    const base = known && (await decode(known.text))
    const theirs = { session: await decode(this.#codec.unwrap(row.data!, row.key)), expiresAt: row.expiresAt }
    const ours = { session: await decode(save.text), expiresAt: save.expiresAt }
    const merged = merge(base, theirs, ours)
    const text = await this.#codec.toText(merged.session)
    return { text, user: this.#userOf(merged.session), expiresAt: merged.expiresAt }
  }

  #write(save: Save, text: string, createdAt: number, expect: string | undefined): Write {
    const { key, user } = save
    const expiresAt = this.#withinAbsolute(save.expiresAt, createdAt)
    return {
      key,
      data: this.#codec.wrap(text, key),
      tag: this.#nextTag(),
      user,
      createdAt,
      expiresAt,
      expect,
    }
  }

  #mark({ id, key, object, text, cookie }: Save, { user, createdAt, expiresAt }: Write, tag: string): void {
    mark(object, { id, key, tag, text, user, createdAt, expiresAt, cookie })
  }

  #read(key: string): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      this.#backend.read(key, (error, row) => (error == null ? resolve(row) : reject(error)))
    })
  }

  #landed(write: Write): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#backend.write(write, (error, landed) => (error == null ? resolve(landed!) : reject(error)))
    })
  }

  #gone(key: string): SessionStoreError | null {
    this.#publish('gone', key)
    if (this.#settings.onGone === 'ignore') return null
    return new SessionStoreError('GONE', 'the session was destroyed or has expired; it was not saved')
  }

  #publish(event: 'conflict' | 'gone', key: string): void {
    if (!events[event].hasSubscribers) return
    const { name } = this.#backend.driver
    events[event].publish({ driver: name, handle: this.#keys.handle(key) } satisfies SessionEvent)
  }

  #keyOf(id: string, object: SessionData): string {
    return markerOf(object, id)?.key ?? this.#keys.key(id)
  }

  #userOf(object: SessionData): Row['user'] {
    const user = this.#settings.user?.(object)
    return user === undefined || user === null ? null : userHash(user)
  }

  #withinAbsolute(deadline: number, createdAt: number): number {
    const { absoluteTimeout } = this.#settings
    return absoluteTimeout > 0 ? Math.min(deadline, createdAt + absoluteTimeout) : deadline
  }

  #nextTag(): string {
    return this.#tagPrefix + (this.#tags++).toString(36)
  }
}

function cookieOf(object: SessionData): SessionData['cookie'] {
  const cookie = object?.cookie
  if (typeof cookie !== 'object' || cookie === null)
    throw new SessionStoreError('INVALID_SESSION', 'a session must be an object with a cookie')
  return cookie
}
