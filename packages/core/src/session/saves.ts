import session, { type SessionData } from 'express-session'
import type { Call } from '../dispatch/call.ts'
import type { Backend } from '../dispatch/dispatcher.ts'
import { settle } from '../dispatch/settle.ts'
import { pause } from '../dispatch/timers.ts'
import type { Awaitable, Row, Write } from '../driver.ts'
import type { Codec } from '../encoding/codec.ts'
import { type Keys, userOf } from '../encoding/key.ts'
import { SessionStoreError, UncertainWriteError } from '../errors.ts'
import { events, type SessionEvent } from '../events.ts'
import type { Settings } from '../options.ts'
import { type CookieSettings, decidesDeadline, idleDeadline, isLive, withinAbsolute } from './deadline.ts'
import { type Base, Marker, mark, markerOf, type Tags } from './marker.ts'
import { type Merged, merge } from './merge.ts'
import type { Lane, Order } from './order.ts'

/** A save on its way: what is to be written, and the object that the application holds. */
export class Save {
  readonly id: string
  readonly key: string
  readonly object: SessionData
  readonly cookie: CookieSettings
  readonly user: Row['user']
  readonly expiresAt: number
  /** The request did not decide the deadline: where others moved it on meanwhile, theirs stays. */
  readonly extend: boolean
  text = ''

  /** Throws `INVALID_SESSION`. */
  constructor(id: string, key: string, object: SessionData, cookie: CookieSettings, settings: Settings) {
    const known = markerOf(object, id)
    this.id = id
    this.key = key
    this.object = object
    this.cookie = cookie
    this.expiresAt = idleDeadline(object.cookie, settings.now(), settings.idleTimeout)
    this.extend = known !== undefined && known.tag !== '' && !decidesDeadline(known.cookie, cookie)
    this.user = userOf(object, settings)
  }
}

/** What of a save is written, where it is not as the object has it. */
type Content = Pick<Save, 'key' | 'text' | 'user' | 'expiresAt' | 'extend'>

/** As it is sent. */
class Sent implements Write {
  readonly key: string
  readonly data: string
  readonly tag: string
  readonly user: Row['user']
  readonly createdAt: number
  readonly expiresAt: number
  readonly expect: string
  readonly extend: boolean

  constructor(
    { key, user, extend }: Content,
    data: string,
    tag: string,
    createdAt: number,
    expiresAt: number,
    expect: string,
  ) {
    this.key = key
    this.data = data
    this.tag = tag
    this.user = user
    this.createdAt = createdAt
    this.expiresAt = expiresAt
    this.expect = expect
    this.extend = extend
  }
}

/** No row has this tag: an update that expects it is refused, and so looks before it writes. */
const LOOK_FIRST = '-'

/** When the session of a tombstone began that was written where there was none. */
export const NEVER = 0

/** The longest pause, in milliseconds, between two tries of a save that others keep getting ahead of. */
const MAX_PAUSE = 32

/** How many saves of one object that nobody answered are remembered: the request of a user who tries again and again. */
const MAX_UNANSWERED = 32

/** What saves share with the other calls of the store. */
interface Parts {
  backend: Backend
  codec: Codec
  keys: Keys
  settings: Settings
  order: Order
  tags: Tags
}

/** How a session gets into the database: by create or update, and what comes of it when others write, too. */
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
    this.#order.write(save.key, call, (lane) => {
      settle(encode, (error, text) => {
        if (call.done) return
        if (error != null) return call.finish(error)
        save.text = text!
        this.#send(call, save, lane)
      })
    })
  }

  #send(call: Call<void>, save: Save, lane: Lane): void {
    const { id, object } = save
    const known = markerOf(object, id)
    if (known) {
      const expect = known.isPartial ? LOOK_FIRST : known.tag
      return this.#try(call, save, known, expect === '' ? this.#settings.now() : known.createdAt, expect)
    }
    if (isGenerated(object)) return this.#try(call, save, known, this.#settings.now(), '')
    this.#replace(call, save, lane, 0)
  }

  #try(call: Call<void>, save: Save, known: Marker | undefined, createdAt: number, expect: string): void {
    const write = this.#write(save, createdAt, expect)
    // Until it is answered, nobody knows whether it is what is stored.
    const abandon = (): void => this.#remember(save, write)
    call.abandon = abandon
    this.#backend.write(
      write,
      (error, landed) => {
        call.abandon = undefined
        if (landed) {
          // An answer that comes late must not make little of what the object has saved since.
          if (!call.done || markerOf(save.object, save.id) === known) this.#mark(save, write, false)
          return call.finish(null)
        }
        if (error != null && !call.done) this.#remember(save, write)
        if (call.done || (error != null && !(error instanceof UncertainWriteError))) return call.finish(error)
        const end = (failure: unknown): void => call.finish(failure)
        this.#resolve(call, save, known, error as UncertainWriteError | null).then(end, end)
      },
      call,
    )
  }

  /**
   * Saves a plain object as it is, over whatever session is there. It looks first: a write that decides by what it
   * replaces takes effect once, even if the client sends it twice.
   */
  #replace(call: Call<void>, save: Save, lane: Lane, tries: number): void {
    const { stored } = lane
    lane.stored = undefined
    const now = this.#settings.now()
    // A burst of saves of one session looks it up once: where others wrote meanwhile, this is refused.
    if (stored !== undefined && stored.expiresAt > now)
      return this.#put(call, save, lane, tries, stored.createdAt, stored.tag)
    this.#backend.read(save.key, (error, row) => {
      // Whoever called was told that it failed: it must not find it done later.
      if (error != null || call.done) return call.finish(error)
      if (row === undefined || row.expiresAt <= now) return this.#putNew(call, save, lane, tries, now)
      if (row.data === null) {
        // Nothing was there when it was destroyed: so this is no late save of what was ended.
        if (row.createdAt === NEVER) return this.#put(call, save, lane, tries, now, row.tag)
        this.#publish('gone', save.key)
        return call.finish(gone())
      }
      if (isLive(row, this.#settings)) return this.#put(call, save, lane, tries, row.createdAt, row.tag)
      // Past its absolute end, but not by its row: it would hand on its beginning to what replaces it.
      const end = { ...row, data: null, tag: this.#tags.next(), expect: row.tag, expiresAt: now }
      this.#backend.write(
        end,
        (failure) => {
          if (failure != null || call.done) call.finish(failure)
          else this.#replace(call, save, lane, tries + 1)
        },
        call,
      )
    })
  }

  /** Refuses a session whose id is the handle of another: whoever saves it took it from `all` or `ids`. */
  #putNew(call: Call<void>, save: Save, lane: Lane, tries: number, now: number): void {
    const handle = this.#keys.asHandle(save.id)
    if (handle === undefined) return this.#put(call, save, lane, tries, now, '')
    this.#backend.read(handle, (error, row) => {
      if (error != null || call.done) call.finish(error)
      else if (row === undefined || !isLive(row, this.#settings)) this.#put(call, save, lane, tries, now, '')
      else
        call.finish(
          new SessionStoreError(
            'INVALID_ID',
            'this is the handle of a session, as all, ids and list give it, and not the id',
          ),
        )
    })
  }

  #put(call: Call<void>, save: Save, lane: Lane, tries: number, createdAt: number, expect: string): void {
    const write = this.#write(save, createdAt, expect)
    this.#backend.write(
      write,
      (error, landed) => {
        if (landed) lane.stored = write
        if (error != null || landed || call.done) return call.finish(error)
        const again = (): void => {
          if (!call.done) this.#replace(call, save, lane, tries + 1)
        }
        if (tries === 0) again()
        else this.#pause(tries).then(again, again)
      },
      call,
    )
  }

  /**
   * After a refusal: reads the row again and does what `onConflict` and `onGone` say. Fulfils with an error, or null.
   * `uncertain` is the error of a write of this call that may have landed before somebody else wrote.
   */
  async #resolve(
    call: Call<void>,
    save: Save,
    before: Marker | undefined,
    uncertain: UncertainWriteError | null,
  ): Promise<SessionStoreError | null> {
    const { onConflict } = this.#settings
    for (let tries = 0; !call.done; tries++) {
      if (tries > 0) await this.#pause(tries)
      const known = markerOf(save.object, save.id) ?? before
      const row = await this.#read(save.key)
      if (call.done) return null
      if (row === undefined || !isLive(row, this.#settings)) {
        // Nothing of this session was ever sent but this create, which a tombstone refused: it was there before, and
        // the application creates its id anew.
        if (known === undefined && row?.data === null && row.expiresAt > this.#settings.now()) {
          if (await this.#landsOver(call, save, row)) return null
          continue
        }
        return this.#gone(save.key)
      }
      // What is stored is what this object itself stored last, or sent without an answer.
      const own = known && [known, ...(known.unanswered ?? [])].find(({ tag }) => tag === row.tag)
      if (own === undefined) {
        if (tries === 0) this.#publish('conflict', save.key)
        if (onConflict === 'error')
          return new SessionStoreError(
            'CONFLICT',
            'somebody else saved the session meanwhile; read it again and retry',
          )
        // To overwrite would do twice what may have been done, and undone by others, already.
        if (onConflict === 'overwrite' && uncertain !== null) return uncertain
      }
      let content: Content = save
      if (onConflict !== 'overwrite') {
        const bases = own ? [own] : known ? [known, ...(known.unanswered ?? [])] : []
        const merged = await this.#merge(save, bases, row)
        if (merged === undefined)
          return (
            uncertain ??
            new SessionStoreError(
              'CONFLICT',
              'an earlier save got no answer and somebody else saved since; read the session again and retry',
            )
          )
        content = merged
      }
      if (call.done) return null
      const write = this.#write(content, row.createdAt, row.tag)
      const abandon = (): void => this.#remember(save, write)
      call.abandon = abandon
      try {
        if (!(await this.#landed(call, write))) continue
      } catch (error) {
        if (call.done) return null
        this.#remember(save, write)
        if (!(error instanceof UncertainWriteError)) throw error
        uncertain = error
        continue
      } finally {
        call.abandon = undefined
      }
      // The object lacks what the others wrote: its next save has to merge again, from what it holds now.
      this.#mark(save, write, content.text !== save.text)
      return null
    }
    return null
  }

  async #landsOver(call: Call<void>, save: Save, tombstone: Row): Promise<boolean> {
    const write = this.#write(save, this.#settings.now(), tombstone.tag)
    if (!(await this.#landed(call, write))) return false
    this.#mark(save, write, false)
    return true
  }

  /**
   * What this save makes of the row. Each of the bases may be what the object last stored; where they lead to different
   * results, there is none. No base at all: everything that the object has is a change.
   */
  async #merge(save: Save, bases: readonly Pick<Base, 'text'>[], row: Row): Promise<Content | undefined> {
    const decode = (text: string) => this.#codec.toSession(text)
    const theirs = { session: await decode(this.#codec.unwrap(row)), expiresAt: row.expiresAt }
    const ours = { session: await decode(save.text), expiresAt: save.expiresAt, extend: save.extend }
    const texts = bases.length === 0 ? [undefined] : new Set(bases.map(({ text }) => text))
    let result: (Merged & { text: string }) | undefined
    for (const base of texts) {
      // Where no save was answered yet, one thing that may have been stored is nothing at all.
      const merged = await merge(base ? await decode(base) : undefined, theirs, ours, this.#codec)
      const text = await this.#codec.toText(merged.session)
      if (result !== undefined && (result.text !== text || result.expiresAt !== merged.expiresAt))
        return undefined
      result = { ...merged, text }
    }
    const { session, text, expiresAt, extend } = result!
    return { key: save.key, text, user: userOf(session, this.#settings), expiresAt, extend }
  }

  #write(content: Content, createdAt: number, expect: string): Sent {
    const { key, user, text } = content
    const data = this.#codec.wrap(text, { key, user, createdAt })
    const expiresAt = withinAbsolute(content.expiresAt, createdAt, this.#settings.absoluteTimeout)
    return new Sent(content, data, this.#tags.next(), createdAt, expiresAt, expect)
  }

  #mark({ id, key, object, text, cookie }: Save, write: Write, isPartial: boolean): void {
    const { tag, user, createdAt, expiresAt } = write
    const known = new Marker(id, key, tag, text, user, createdAt, expiresAt, cookie)
    known.isPartial = isPartial
    mark(object, known)
  }

  /** Notes on the object that this write may be what is stored. */
  #remember(save: Save, { tag, user, createdAt, expiresAt }: Write): void {
    const { id, key, object, text, cookie } = save
    let known = markerOf(object, id)
    if (known === undefined) {
      known = new Marker(id, key, '', '', user, createdAt, expiresAt, cookie)
      mark(object, known)
    }
    known.unanswered = [...(known.unanswered ?? []), { tag, text }].slice(-MAX_UNANSWERED)
  }

  #pause(tries: number): Promise<void> {
    return pause(Math.random() * Math.min(2 ** tries, MAX_PAUSE))
  }

  #read(key: string): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      this.#backend.read(key, (error, row) => (error == null ? resolve(row) : reject(error)))
    })
  }

  #landed(call: Call<void>, write: Write): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#backend.write(write, (error, landed) => (error == null ? resolve(landed!) : reject(error)), call)
    })
  }

  #gone(key: string): SessionStoreError | null {
    this.#publish('gone', key)
    if (this.#settings.onGone === 'ignore') return null
    return gone()
  }

  #publish(event: 'conflict' | 'gone', key: string): void {
    if (!events[event].hasSubscribers) return
    const { name } = this.#backend.driver
    events[event].publish({ driver: name, handle: this.#keys.handle(key) } satisfies SessionEvent)
  }
}

const gone = (): SessionStoreError =>
  new SessionStoreError('GONE', 'the session was destroyed or has expired; it was not saved')

/**
 * Whether express-session generated this object, or read it, for a request. The application may have another copy of
 * it than this package, and so another class: its sessions hold their request where no data can be.
 */
function isGenerated(object: object): boolean {
  if (object instanceof session.Session) return true
  const request = Object.getOwnPropertyDescriptor(object, 'req')
  return request?.enumerable === false && request.value?.sessionStore !== undefined
}
