import type { SessionData } from 'express-session'
import type { Call } from '../dispatch/call.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { settle } from '../dispatch/settle.ts'
import { pause } from '../dispatch/timers.ts'
import type { Row } from '../driver.ts'
import type { Codec } from '../encoding/codec.ts'
import type { Keys } from '../encoding/key.ts'
import { UncertainWriteError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { CookieSettings } from './cookie.ts'
import { isLive } from './deadline.ts'
import { copyMarker, Marker, mark } from './marker.ts'
import type { Order } from './order.ts'
import { cookieOf, retryDelay, Save, type WriteFactory } from './save.ts'
import type { SentWrite } from './sent.ts'

/** Returns the session as it is to be saved, or `undefined` where it stays as it is. */
export type Change = (session: SessionData) => SessionData | undefined

interface Parts {
  dispatcher: Dispatcher
  codec: Codec
  keys: Keys
  settings: Settings
  order: Order
  writes: WriteFactory
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

  update(call: Call<SessionData | null>, id: string, change: Change): void {
    const { keys, order } = this.#parts
    const key = keys.find(id)
    // No session can have this id.
    if (key === undefined) return call.finish(null, null)
    order.write(key, call, () => {
      settle(
        () => this.#update(call, id, key, change),
        (error, session) => call.finish(error, session),
      )
    })
  }

  async #update(
    call: Call<SessionData | null>,
    id: string,
    key: string,
    change: Change,
  ): Promise<SessionData | null> {
    let uncertain: { error: UncertainWriteError; tag: string; changed: SessionData } | undefined
    for (let attempts = 0; !call.done; attempts++) {
      if (attempts > 0) await pause(retryDelay(attempts))
      const row = await this.#read(key)
      if (uncertain !== undefined) {
        if (row?.tag === uncertain.tag) return uncertain.changed
        // The first write may have landed and been overwritten. The change must not be made twice.
        throw uncertain.error
      }
      if (call.done || row === undefined || !isLive(row, this.#parts.settings)) return null
      const session = await this.#parts.decode(row, id)
      const changed = change(session)
      if (changed === undefined) return session
      const cookie = new CookieSettings(cookieOf(changed))
      if (changed !== session) copyMarker(session, changed)
      const save = new Save(id, key, changed, cookie, this.#parts.settings)
      save.text = await this.#parts.codec.toText(changed)
      if (call.done) return null
      const write = this.#parts.writes.create(save, row.createdAt, row.tag)
      try {
        if (!(await this.#write(call, write))) continue
      } catch (error) {
        if (!(error instanceof UncertainWriteError)) throw error
        uncertain = { error, tag: write.tag, changed }
        continue
      }
      const { tag, user, createdAt, expiresAt } = write
      mark(changed, new Marker(id, key, tag, save.text, user, createdAt, expiresAt, save.cookie))
      return changed
    }
    return null
  }

  #read(key: string): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      this.#parts.dispatcher.read(key, (error, row) => (error == null ? resolve(row) : reject(error)))
    })
  }

  #write(call: Call<SessionData | null>, write: SentWrite): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#parts.dispatcher.write(
        write,
        (error, landed) => (error == null ? resolve(landed === true) : reject(error)),
        call,
      )
    })
  }
}
