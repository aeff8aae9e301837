import type { Call } from '../dispatch/call.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { settle, toPromise } from '../dispatch/settle.ts'
import { pause } from '../dispatch/timers.ts'
import type { Awaitable, Row, Write } from '../driver.ts'
import type { Codec } from '../encoding/codec.ts'
import type { Keys } from '../encoding/key.ts'
import { SessionStoreError, UncertainWriteError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { isLive } from './deadline.ts'
import { type Base, Marker, mark, markerOf } from './marker.ts'
import { merge, type Version } from './merge.ts'
import type { Lane, Order } from './order.ts'
import { PlainSaves } from './plain-saves.ts'
import {
  type Content,
  goneError,
  isGenerated,
  markSaved,
  publish,
  retryDelay,
  type Save,
  type SaveParts,
  type WriteFactory,
} from './save.ts'
import { userOf } from './user.ts'

/**
 * No row has this tag. An update that expects it is refused, so the save reads the row before it
 * writes.
 */
const READ_FIRST = '-'

/**
 * How many unanswered saves of one object are remembered, for the request of a user who retries
 * again and again.
 */
const MAX_UNANSWERED = 32

/**
 * Saves sessions: by a create or an update, and, where the database refuses the write because of
 * another request, by a merge with the stored session.
 */
export class Saves {
  readonly #dispatcher: Dispatcher
  readonly #codec: Codec
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #order: Order
  readonly #writes: WriteFactory
  readonly #plainSaves: PlainSaves

  constructor(parts: SaveParts) {
    this.#dispatcher = parts.dispatcher
    this.#codec = parts.codec
    this.#keys = parts.keys
    this.#settings = parts.settings
    this.#order = parts.order
    this.#writes = parts.writes
    this.#plainSaves = new PlainSaves(parts)
  }

  /**
   * Takes its place in the order of the calls now. Calls `encode` for the text when its turn comes.
   */
  save(call: Call<void>, save: Save, encode: () => Awaitable<string>): void {
    this.#order.write(save.key, call, (lane) => {
      settle(encode, (error, text) => {
        if (call.done) return
        if (error != null) return call.finish(error)
        save.text = text!
        this.#chooseExpect(call, save, lane)
      })
    })
  }

  /**
   * A session that was read or saved is updated, a new one is created, and a plain object replaces.
   */
  #chooseExpect(call: Call<void>, save: Save, lane: Lane): void {
    const { id, object } = save
    const marker = markerOf(object, id)
    if (marker) {
      const expect = marker.isPartial ? READ_FIRST : marker.tag
      const createdAt = expect === '' ? this.#settings.now() : marker.createdAt
      return this.#write(call, save, marker, createdAt, expect)
    }
    if (isGenerated(object)) return this.#write(call, save, marker, this.#settings.now(), '')
    this.#plainSaves.save(call, save, lane)
  }

  #write(call: Call<void>, save: Save, marker: Marker | undefined, createdAt: number, expect: string): void {
    const write = this.#writes.create(save, createdAt, expect)
    // Until the write is answered, nobody knows whether it is what is stored.
    const abandon = (): void => this.#remember(save, write)
    call.abandon = abandon
    this.#dispatcher.write(
      write,
      (error, landed) => {
        call.abandon = undefined
        if (landed) {
          // A late answer must not replace what is known about later saves of the object.
          if (!call.done || markerOf(save.object, save.id) === marker) markSaved(save, write, false)
          return call.finish(null)
        }
        if (error != null && !call.done) this.#remember(save, write)
        if (call.done || (error != null && !(error instanceof UncertainWriteError))) return call.finish(error)
        // Callbacks serve the hot path. A refusal is rare, so what follows it may be `async`.
        const finish = (failure: unknown): void => call.finish(failure)
        this.#resolve(call, save, marker, error as UncertainWriteError | null).then(finish, finish)
      },
      call,
    )
  }

  /**
   * Handles a refusal: reads the row again, and does what `onConflict` and `onGone` say. Resolves
   * with an error, or with `null`. `uncertain` is the error of a write of this call that may have
   * landed before another request wrote.
   */
  async #resolve(
    call: Call<void>,
    save: Save,
    before: Marker | undefined,
    uncertain: UncertainWriteError | null,
  ): Promise<SessionStoreError | null> {
    for (let attempts = 0; !call.done; attempts++) {
      if (attempts > 0) await pause(retryDelay(attempts))
      const marker = markerOf(save.object, save.id) ?? before
      const row = await toPromise<Row | undefined>((done) => this.#dispatcher.read(save.key, done))
      if (call.done) return null
      if (row === undefined || !isLive(row, this.#settings)) {
        // The object is new and its create met a tombstone, so the session ended before this object
        // existed: the application creates its id anew on purpose.
        if (marker === undefined && row?.data === null && row.expiresAt > this.#settings.now()) {
          if (await this.#createOver(call, save, row)) return null
          continue
        }
        return this.#handleGone(save.key, uncertain)
      }
      const content = await this.#contentFor(save, marker, row, uncertain, attempts)
      if (content instanceof SessionStoreError) return content
      if (call.done) return null
      const write = this.#writes.create(content, row.createdAt, row.tag)
      call.abandon = () => this.#remember(save, write)
      try {
        if (!(await toPromise<boolean>((done) => this.#dispatcher.write(write, done, call)))) continue
      } catch (error) {
        if (call.done) return null
        this.#remember(save, write)
        if (!(error instanceof UncertainWriteError)) throw error
        uncertain = error
        continue
      } finally {
        call.abandon = undefined
      }
      // After a merge the object lacks the changes of the other requests, so its next save has to
      // merge.
      markSaved(save, write, content.text !== save.text)
      return null
    }
    return null
  }

  /**
   * Returns what the save writes over `row`, which another request may have written, or the error
   * of the save.
   */
  async #contentFor(
    save: Save,
    marker: Marker | undefined,
    row: Row,
    uncertain: UncertainWriteError | null,
    attempts: number,
  ): Promise<Content | SessionStoreError> {
    const { onConflict } = this.#settings
    const bases = marker ? [marker, ...(marker.unanswered ?? [])] : []
    // The stored row is what this object itself stored last, or sent without an answer.
    const own = bases.find(({ tag }) => tag === row.tag)
    if (own === undefined) {
      if (attempts === 0) this.#publish('conflict', save.key)
      if (onConflict === 'error')
        return new SessionStoreError(
          'CONFLICT',
          'another request saved the session meanwhile; read the session again and retry',
        )
      // The first write may have landed and been overwritten. Writing again would do its work
      // twice.
      if (onConflict === 'overwrite' && uncertain !== null) return uncertain
    }
    if (onConflict === 'overwrite') {
      this.#codec.refuseTooNew(row)
      return save
    }
    const merged = await this.#merge(save, own ? [own] : bases, row)
    return (
      merged ??
      uncertain ??
      new SessionStoreError(
        'CONFLICT',
        'an earlier save got no answer and another request saved since; read the session again and retry',
      )
    )
  }

  /** Creates the session over this tombstone. Resolves with whether the write landed. */
  async #createOver(call: Call<void>, save: Save, tombstone: Row): Promise<boolean> {
    const write = this.#writes.create(save, this.#settings.now(), tombstone.tag)
    if (!(await toPromise<boolean>((done) => this.#dispatcher.write(write, done, call)))) return false
    markSaved(save, write, false)
    return true
  }

  /**
   * Merges the save with the row. Each of `bases` may be what the object last stored. Where they
   * lead to different results, the merge has none. Without any base, everything that the object
   * holds counts as a change.
   */
  async #merge(save: Save, bases: readonly Pick<Base, 'text'>[], row: Row): Promise<Content | undefined> {
    const decode = (text: string) => this.#codec.toSession(text)
    const stored = await decode(this.#codec.unwrap(row))
    const theirs: Version = { session: stored, expiresAt: row.expiresAt, extend: false }
    const { expiresAt, extend } = save
    const ours: Version = { session: await decode(save.text), expiresAt, extend }
    const texts = bases.length === 0 ? [undefined] : new Set(bases.map(({ text }) => text))
    let result: (Version & { text: string }) | undefined
    for (const base of texts) {
      // The text is empty where no save has been answered, so that nothing at all may have been
      // stored.
      const merged = await merge(base ? await decode(base) : undefined, theirs, ours, this.#codec)
      const text = await this.#codec.toText(merged.session)
      if (result !== undefined && (result.text !== text || result.expiresAt !== merged.expiresAt))
        return undefined
      result = { ...merged, text }
    }
    const { session, ...content } = result!
    return { key: save.key, user: userOf(session, this.#settings), ...content }
  }

  /** Notes on the object that this write may be what is stored. */
  #remember(save: Save, { tag, user, createdAt, expiresAt }: Write): void {
    const { id, key, object, text, cookie } = save
    let marker = markerOf(object, id)
    if (marker === undefined) {
      marker = new Marker(id, key, '', '', user, createdAt, expiresAt, cookie)
      mark(object, marker)
    }
    marker.unanswered = [...(marker.unanswered ?? []), { tag, text }].slice(-MAX_UNANSWERED)
  }

  #handleGone(key: string, uncertain: UncertainWriteError | null): SessionStoreError | null {
    this.#publish('gone', key)
    return this.#settings.onGone === 'ignore' ? null : goneError(uncertain)
  }

  #publish(event: 'conflict' | 'gone', key: string): void {
    publish(event, this.#dispatcher.driver.name, () => this.#keys.handle(key))
  }
}
