import { setTimeout as pause } from 'node:timers/promises'
import session, { type SessionData } from 'express-session'
import type { Backend } from './backend.ts'
import type { Call } from './call.ts'
import type { Codec } from './codec.ts'
import { merge } from './conflict.ts'
import type { Awaitable, Row, Write } from './driver.ts'
import { SessionStoreError } from './errors.ts'
import { events, type SessionEvent } from './events.ts'
import { type CookieSettings, idleDeadline, isLive, withinAbsolute } from './expiry.ts'
import { type Keys, userOf } from './key.ts'
import { type Marker, mark, markerOf, type Tags } from './marker.ts'
import type { Settings } from './options.ts'
import type { Order } from './order.ts'
import { settle } from './settle.ts'

/** A save on its way: what is to be written, and the object that the application holds. */
export class Save {
  readonly id: string
  readonly key: string
  readonly object: SessionData
  readonly cookie: CookieSettings
  readonly user: Row['user']
  readonly expiresAt: number
  text = ''

  /** Throws `INVALID_SESSION`. */
  constructor(id: string, key: string, object: SessionData, cookie: CookieSettings, settings: Settings) {
    this.id = id
    this.key = key
    this.object = object
    this.cookie = cookie
    this.expiresAt = idleDeadline(object.cookie, settings.now(), settings.idleTimeout)
    this.user = userOf(object, settings)
  }
}

/** As it is sent. */
class Sent implements Write {
  readonly key: string
  readonly data: string
  readonly tag: string
  readonly user: Row['user']
  readonly createdAt: number
  readonly expiresAt: number
  readonly expect: string | undefined

  constructor(
    { key, user }: Pick<Save, 'key' | 'user'>,
    data: string,
    tag: string,
    createdAt: number,
    expiresAt: number,
    expect: string | undefined,
  ) {
    this.key = key
    this.data = data
    this.tag = tag
    this.user = user
    this.createdAt = createdAt
    this.expiresAt = expiresAt
    this.expect = expect
  }
}

/** No row has this tag: an update that expects it is refused, and so looks before it writes. */
const LOOK_FIRST = '-'

/** The longest pause, in milliseconds, between two tries of a save that others keep getting ahead of. */
const MAX_PAUSE = 32

/** What saves share with the other calls of the store. */
interface Parts {
  backend: Backend
  codec: Codec
  keys: Keys
  settings: Settings
  order: Order
  tags: Tags
}

/** How a session gets into the database: create, update or upsert, and what comes of it when others write, too. */
export class Saves {
  readonly #backend: Backend
  readonly #codec: Codec
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #order: Order
  readonly #tags: Tags

  constructor({ backend, codec, keys, settings, order, tags }: Parts) {
    this.#backend = backend
    this.#codec = codec
    this.#keys = keys
    this.#settings = settings
    this.#order = order
    this.#tags = tags
  }

  /** Takes its place in the order of the calls now; `encode` is asked for the text when its turn comes. */
  save(call: Call<void>, save: Save, encode: () => Awaitable<string>): void {
    this.#order.write(save.key, (release) => {
      const end = (error: unknown): void => {
        release()
        call.finish(error)
      }
      if (call.done) return release()
      settle(encode, (error, text) => {
        if (error != null || call.done) return end(error)
        save.text = text!
        this.#send(call, save, end)
      })
    })
  }

  #send(call: Call<void>, save: Save, end: (error: unknown) => void): void {
    const { id, object } = save
    const known = markerOf(object, id)
    if (known) return this.#try(call, save, known, known.createdAt, known.tag, end)
    const expect = isGenerated(object) ? '' : undefined
    if (expect === '' || this.#settings.absoluteTimeout === 0)
      return this.#try(call, save, known, this.#settings.now(), expect, end)
    this.#beginning(save.key).then((createdAt) => this.#try(call, save, known, createdAt, expect, end), end)
  }

  /** When the session of a plain object began: the object does not know, the row does. */
  async #beginning(key: string): Promise<number> {
    const row = await this.#read(key)
    const now = this.#settings.now()
    if (row === undefined || row.data === null || row.expiresAt <= now) return now
    if (isLive(row, this.#settings)) return row.createdAt
    // Past its absolute end, but not by its row: it would hand on its beginning to what replaces it.
    await this.#landed({ ...row, data: null, tag: this.#tags.next(), expiresAt: now })
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
      if (row === undefined || !isLive(row, this.#settings)) return this.#gone(key)
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
    return { text, user: userOf(merged.session, this.#settings), expiresAt: merged.expiresAt }
  }

  #write(save: Save, text: string, createdAt: number, expect: string | undefined): Write {
    const data = this.#codec.wrap(text, save.key)
    const expiresAt = withinAbsolute(save.expiresAt, createdAt, this.#settings.absoluteTimeout)
    return new Sent(save, data, this.#tags.next(), createdAt, expiresAt, expect)
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
}

/**
 * Whether express-session generated this object, or read it, for a request. The application may have another copy of
 * it than this package, and so another class: its sessions hold their request where no data can be.
 */
function isGenerated(object: object): boolean {
  if (object instanceof session.Session) return true
  const request = Object.getOwnPropertyDescriptor(object, 'req')
  return request?.enumerable === false && request.value?.sessionStore !== undefined
}
