import type { Call } from '../dispatch/call.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { Codec } from '../encoding/codec.ts'
import type { Keys } from '../encoding/key.ts'
import { SessionStoreError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { isLive } from './deadline.ts'
import type { Lane } from './order.ts'
import {
  goneError,
  NEVER,
  publish,
  retryAfter,
  type Save,
  type SaveParts,
  type WriteFactory,
} from './save.ts'
import type { Tags } from './tag.ts'

/**
 * Saves plain objects, which no request has read: as they are, over whatever session is there. A
 * plain save reads first. A write that names the row it replaces takes effect once, even if the
 * client sends it twice.
 */
export class PlainSaves {
  readonly #dispatcher: Dispatcher
  readonly #codec: Codec
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #tags: Tags
  readonly #writes: WriteFactory

  constructor({ dispatcher, codec, keys, settings, tags, writes }: SaveParts) {
    this.#dispatcher = dispatcher
    this.#codec = codec
    this.#keys = keys
    this.#settings = settings
    this.#tags = tags
    this.#writes = writes
  }

  save(call: Call<void>, save: Save, lane: Lane, attempts = 0): void {
    const { stored } = lane
    lane.stored = undefined
    // A burst of saves of one session reads it once. If another process has written, the write is
    // refused, and the next attempt reads again.
    if (stored !== undefined && stored.expiresAt > this.#settings.now())
      return this.#write(call, save, lane, attempts, stored.createdAt, stored.tag)
    this.#dispatcher.read(save.key, (error, row) => {
      // The caller was told that the save failed, so it must not take effect later.
      if (error != null || call.done) return call.finish(error)
      // All checks use the same time, because the clock may be set, or a deadline pass, between them.
      const now = this.#settings.now()
      if (row === undefined || row.expiresAt <= now) return this.#create(call, save, lane, attempts, now)
      if (row.data === null) {
        // No session was there when it was destroyed, so this is not a late save of an ended
        // session.
        if (row.createdAt === NEVER) return this.#write(call, save, lane, attempts, now, row.tag)
        publish('gone', this.#dispatcher.driver.name, () => this.#keys.handle(save.key))
        return call.finish(goneError())
      }
      if (isLive(row, this.#settings, now)) {
        this.#codec.refuseTooNew(row)
        return this.#write(call, save, lane, attempts, row.createdAt, row.tag)
      }
      // The session is past its absolute end, but its row is live by its own deadline. The row is
      // ended first, because the new session would otherwise inherit the old `createdAt`. The
      // tombstone is over at once, also for a clock that is set back.
      const [tag, expiresAt] = [this.#tags.next(), row.createdAt]
      const end = { ...row, data: null, tag, expect: row.tag, expiresAt }
      this.#dispatcher.write(
        end,
        (failure) => {
          if (failure != null || call.done) call.finish(failure)
          else this.save(call, save, lane, attempts + 1)
        },
        call,
      )
    })
  }

  /**
   * Refuses an id that is the handle of another session, which the caller took from `all` or `ids`.
   */
  #create(call: Call<void>, save: Save, lane: Lane, attempts: number, now: number): void {
    const handle = this.#keys.asHandle(save.id)
    if (handle === undefined) return this.#write(call, save, lane, attempts, now, '')
    this.#dispatcher.read(handle, (error, row) => {
      if (error != null || call.done) call.finish(error)
      else if (row === undefined || !isLive(row, this.#settings))
        this.#write(call, save, lane, attempts, now, '')
      else
        call.finish(
          new SessionStoreError(
            'INVALID_ID',
            'this is the handle of a session, as all, ids and list return it, and not an id',
          ),
        )
    })
  }

  #write(
    call: Call<void>,
    save: Save,
    lane: Lane,
    attempts: number,
    createdAt: number,
    expect: string,
  ): void {
    const write = this.#writes.create(save, createdAt, expect)
    this.#dispatcher.write(
      write,
      (error, landed) => {
        if (landed) lane.stored = write
        if (error != null || landed || call.done) return call.finish(error)
        const retry = (): void => {
          if (!call.done) this.save(call, save, lane, attempts + 1)
        }
        retryAfter(attempts, retry)
      },
      call,
    )
  }
}
