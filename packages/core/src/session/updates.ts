import type { SessionData } from 'express-session'
import type { Call } from '../dispatch/call.ts'
import { settle, toPromise } from '../dispatch/settle.ts'
import { pause } from '../dispatch/timers.ts'
import type { Row } from '../driver.ts'
import { UncertainWriteError } from '../errors.ts'
import { CookieSettings } from './cookie.ts'
import { isLive } from './deadline.ts'
import { copyMarker } from './marker.ts'
import type { Moves } from './moves.ts'
import { cookieOf, markSaved, retryDelay, Save, type SaveParts } from './save.ts'
import type { SentWrite } from './sent.ts'

/** Returns the session as it is to be saved, or `undefined` where it stays as it is. */
export type Change = (session: SessionData) => SessionData | undefined

/** Which session: by its id, or by its handle, as `list` and `handle` return it. */
export type Target = string | { readonly handle: string }

interface Parts extends SaveParts {
  moves: Moves
  /** Decodes a row, and marks the session with what the row says. */
  decode: (row: Row, id: string) => Promise<SessionData>
}

/**
 * Changes stored sessions by compare-and-set: reads, changes, writes where the row still has the
 * tag that was read, and otherwise begins again.
 */
export class Updates {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @throws INVALID_ID */
  update(call: Call<SessionData | null>, target: Target, change: Change): void {
    const { keys, order } = this.#parts
    const isId = typeof target === 'string'
    // A session that was found by its handle is marked with the handle: its id is unknown.
    const id = isId ? target : target?.handle
    const key = isId ? keys.find(target) : keys.fromHandle(id)
    // No session can have this id.
    if (key === undefined) return call.finish(null, null)
    order.write(key, call, () => {
      settle(
        () => this.#update(call, id, key, isId, change),
        (error, session) => call.finish(error, session),
      )
    })
  }

  async #update(
    call: Call<SessionData | null>,
    id: string,
    key: string,
    isId: boolean,
    change: Change,
  ): Promise<SessionData | null> {
    const { dispatcher, settings, codec, writes, moves, decode } = this.#parts
    for (let attempts = 0; !call.done; attempts++) {
      if (attempts > 0) await pause(retryDelay(attempts))
      let row = await toPromise<Row | undefined>((done) => dispatcher.read(key, done))
      // A handle does not tell the id, under which the other store has the session.
      if (row === undefined && moves.isOn && isId) row = await moves.find(key, id, call)
      if (call.done || row === undefined || !isLive(row, settings)) return null
      const session = await decode(row, id)
      const changed = change(session)
      if (changed === undefined) return session
      const cookie = new CookieSettings(cookieOf(changed))
      if (changed !== session) copyMarker(session, changed)
      const save = new Save(id, key, changed, cookie, settings)
      save.text = await codec.toText(changed)
      if (call.done) return null
      const write = writes.create(save, row.createdAt, row.tag)
      if (!(await this.#lands(call, write))) continue
      markSaved(save, write, false)
      return changed
    }
    return null
  }

  /**
   * Whether the write landed. Where that is uncertain, the row tells: with another tag the write may
   * have landed and been overwritten, and the change must not be made twice.
   */
  async #lands(call: Call<SessionData | null>, write: SentWrite): Promise<boolean> {
    const { dispatcher } = this.#parts
    try {
      return await toPromise<boolean>((done) => dispatcher.write(write, done, call))
    } catch (error) {
      if (!(error instanceof UncertainWriteError)) throw error
      const row = await toPromise<Row | undefined>((done) => dispatcher.read(write.key, done))
      if (row?.tag === write.tag) return true
      throw error
    }
  }
}
