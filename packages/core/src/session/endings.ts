import type { Call, Owner } from '../dispatch/call.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { type Done, toPromise } from '../dispatch/settle.ts'
import type { Row, Write } from '../driver.ts'
import type { Keys } from '../encoding/key.ts'
import { SessionStoreError, UncertainWriteError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { isLive } from './deadline.ts'
import { markerOf } from './marker.ts'
import type { Moves } from './moves.ts'
import type { Order } from './order.ts'
import { NEVER, publish, retryAfter, type SaveParts } from './save.ts'
import type { Tags } from './tag.ts'

/** The end of a session as a step of a larger call, such as `revokeUser`. */
class EndStep implements Owner {
  done = false
  release: (() => void) | undefined
  /** Whether this step ended the session. */
  hasEnded = false
  readonly #answer: Done<boolean>

  constructor(answer: Done<boolean>) {
    this.#answer = answer
  }

  finish(error: unknown): void {
    if (this.done) return
    this.done = true
    const { release } = this
    this.release = undefined
    release?.()
    this.#answer(error, this.hasEnded)
  }
}

/** Names a session as it was read. */
export type Version = Pick<Row, 'key' | 'tag' | 'createdAt'>

/** After this many refusals, a session that others save all the time is ended unconditionally. */
const MAX_REFUSALS = 16

/** Ends sessions, for good: no save that is still on its way brings one back. */
export class Endings {
  readonly #dispatcher: Dispatcher
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #order: Order
  readonly #tags: Tags
  readonly #moves: Moves

  constructor({ dispatcher, keys, settings, order, tags, moves }: SaveParts & { moves: Moves }) {
    this.#dispatcher = dispatcher
    this.#keys = keys
    this.#settings = settings
    this.#order = order
    this.#tags = tags
    this.#moves = moves
  }

  destroy(call: Call<void>, id: string): void {
    const key = this.#keys.find(id)
    if (key === undefined) return call.finish(null)
    this.#order.write(key, call, () => this.#destroyFound(call, id, key))
  }

  /**
   * Reads first: a tombstone where there is no session must not keep the next session of this id
   * away. The tombstone names the version that was read.
   *
   * @param tried the session of an attempt that may have ended it
   */
  #destroyFound(call: Call<void>, id: string, key: string, refusals = 0, tried?: Row): void {
    const handle = this.#keys.asHandle(id)
    const write = (tombstone: Write, isEnd: boolean, row: Row | undefined): void => {
      this.#dispatcher.write(
        tombstone,
        (error, landed) => {
          // The session was created, saved or ended since the read. None of it may be overlooked.
          if (!landed && !call.done && (error == null || error instanceof UncertainWriteError)) {
            const attempted = error == null ? undefined : row
            return retryAfter(refusals, () => this.#destroyFound(call, id, key, refusals + 1, attempted))
          }
          if (error == null && isEnd) this.#publishEnded(key)
          this.#finishEnd(call, error, id)
        },
        call,
      )
    }
    const writeTombstone = (row: Row | undefined): void => {
      const { expect: _, ...always } = this.#tombstone(key)
      const { createdAt: now } = always
      const isThere = row !== undefined && row.expiresAt > now
      const wasThere = row !== undefined && (row.data !== null || (row.createdAt !== NEVER && isThere))
      const tombstone = { ...always, expect: isThere ? row.tag : '' }
      const ofNothing = { ...tombstone, createdAt: NEVER }
      const ofSession = refusals < MAX_REFUSALS ? tombstone : always
      if (wasThere || !this.#moves.isOn)
        return write(wasThere ? ofSession : ofNothing, row !== undefined, row)
      this.#moves.has(id, key).then((has) => {
        if (!call.done) write(has ? ofSession : ofNothing, has || row !== undefined, row)
      })
    }
    this.#dispatcher.read(key, (error, row) => {
      if (error != null || call.done) return call.finish(error)
      // Where this is a later session of the id, the one of the attempt has ended.
      if (tried !== undefined && row !== undefined && row.data !== null && row.createdAt !== tried.createdAt)
        return this.#finishEnd(call, null, id)
      if (row !== undefined || handle === undefined) return writeTombstone(row)
      // `all` and `ids` return handles. A caller who passes one on means its session.
      this.#dispatcher.read(handle, (failure, named) => {
        if (failure != null || call.done) return call.finish(failure)
        if (named === undefined || !isLive(named, this.#settings)) return writeTombstone(row)
        this.endRow(named, () => true).then(
          () => call.finish(null),
          (thrown) => call.finish(thrown),
        )
      })
    })
  }

  /**
   * Ends the session of this live row, as a step of a larger call. Resolves with whether it did: of
   * several calls at once, one ends the session. Where the session was saved since the row was read,
   * it ends if `isWanted` accepts what is stored now.
   */
  endRow(row: Version, isWanted: (row: Row) => boolean): Promise<boolean> {
    const { key } = row
    return toPromise<boolean>((done) => {
      const step = new EndStep(done)
      this.#order.write(key, step, () => this.#tryToEnd(step, row, isWanted, 0))
    })
  }

  #tryToEnd(step: EndStep, row: Version, isWanted: (row: Row) => boolean, refusals: number): void {
    const { key, createdAt } = row
    // The tombstone names the version that was read, so it never ends a later session of this id.
    const tombstone = this.#tombstone(key, refusals < MAX_REFUSALS ? row.tag : undefined)
    const readAgain = (uncertain: unknown): void =>
      this.#dispatcher.read(key, (failure, found) => {
        if (failure != null) return step.finish(failure)
        if (found === undefined || !isLive(found, this.#settings) || !isWanted(found))
          return step.finish(uncertain)
        // This is a later session of the id, and the tombstone may have ended the one that was read.
        if (uncertain != null && found.createdAt !== createdAt) return step.finish(uncertain)
        retryAfter(refusals, () => this.#tryToEnd(step, found, isWanted, refusals + 1))
      })
    this.#dispatcher.write(
      tombstone,
      (error, landed) => {
        if (error != null && !(error instanceof UncertainWriteError)) return step.finish(error)
        // Where it is uncertain, this tombstone or that of another call may have ended the session.
        if (error != null || !landed) return readAgain(error)
        step.hasEnded = true
        this.#publishEnded(key)
        // Where ids are hashed, nobody knows the id, and the tombstone alone keeps the row of the
        // other store away.
        this.#finishEnd(step, null, this.#settings.hashIds ? undefined : this.#keys.name(key))
      },
      step,
    )
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
          if (row !== undefined && isLive(row, this.#settings)) {
            // The tombstone names the version that was just read, so another logout at this moment
            // wins.
            this.#dispatcher.write(
              this.#tombstone(key, row.tag),
              (failure, landed) => {
                if (landed) this.#publishEnded(key)
                if (failure != null || landed) this.#finishEnd(call, failure, id)
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
   * Answers once the row of the other store is gone, too. The tombstone has been written before, so
   * a removal that fails brings nothing back.
   */
  #finishEnd(owner: Owner, error: unknown, id: string | undefined): void {
    if (error != null || id === undefined || !this.#moves.isOn) return owner.finish(error)
    this.#moves.remove(id).then(
      () => owner.finish(null),
      (failure) => owner.finish(failure),
    )
  }

  /** With `expect`, the tombstone lands only over the session that carries this tag. */
  #tombstone(key: string, expect?: string): Write {
    const now = this.#settings.now()
    const expiresAt = this.#moves.tombstoneEnd(now)
    return { key, data: null, tag: this.#tags.next(), user: null, createdAt: now, expiresAt, expect }
  }

  #publishEnded(key: string): void {
    publish('ended', this.#dispatcher.driver.name, () => this.#keys.handle(key))
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
