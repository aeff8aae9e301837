import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { inTime, reject } from '../dispatch/settle.ts'
import type { Driver } from '../driver.ts'
import type { Keys } from '../encoding/key.ts'
import { SessionStoreError } from '../errors.ts'
import type { LegacyPage, LegacyReader, LegacySession } from '../legacy.ts'
import type { Settings } from '../options.ts'
import { publish } from './save.ts'

/** What a row of the other store is that is no session. */
export const UNREADABLE: unique symbol = Symbol('unreadable')

/** The readers and codes of which the application has been warned. */
const warned = new Set<string>()

/** Rejects with a TypeError where the other store's rows are among those of the driver. */
export function refuseSamePlace(from: LegacyReader, driver: Driver): Promise<never> | undefined {
  const refusal = from.refuse(driver)
  return refusal === undefined ? undefined : reject(new TypeError(refusal))
}

/**
 * The other store, as core asks it: each answer within `operationTimeout`, each failure an error of
 * the stores, and a row that is no session published instead of thrown.
 */
export class Source {
  readonly #reader: LegacyReader
  readonly #dispatcher: Dispatcher
  readonly #keys: Keys
  readonly #settings: Settings

  constructor(reader: LegacyReader, dispatcher: Dispatcher, keys: Keys, settings: Settings) {
    this.#reader = reader
    this.#dispatcher = dispatcher
    this.#keys = keys
    this.#settings = settings
  }

  async read(id: string, key: string): Promise<LegacySession | null | typeof UNREADABLE> {
    try {
      return await this.#ask(() => this.#reader.read(id, this.#settings.now()))
    } catch (error) {
      const { code } = error as SessionStoreError
      if (code !== 'CORRUPT' && code !== 'SEAL_BROKEN') throw error
      this.publish(key, error)
      return UNREADABLE
    }
  }

  delete(id: string): Promise<void> {
    return this.#ask(() => this.#reader.delete(id))
  }

  scan(after: string | undefined, limit: number): Promise<LegacyPage> {
    return this.#ask(() => this.#reader.scan({ after, limit, now: this.#settings.now() }))
  }

  /** Publishes a session that cannot move in, and warns of it. */
  publish(key: string, error: unknown): void {
    publish('unreadable', this.#dispatcher.driver.name, () => this.#keys.handle(key), error)
    this.warn(error)
  }

  /** Warns once for each kind of trouble, because the channel `unreadable` names every session. */
  warn(error: unknown): void {
    const { name } = this.#reader
    const { code, message } = error as SessionStoreError
    if (warned.has(`${name} ${code}`)) return
    warned.add(`${name} ${code}`)
    const reason = message.replace(`${name}: `, '')
    process.emitWarning(
      `sessions of ${name}: ${reason}; such rows stay there (channel session-stores:unreadable)`,
      {
        type: 'SessionStoresWarning',
        code: 'SESSION_STORES_LEGACY',
      },
    )
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    const { name } = this.#reader
    try {
      return await inTime(question(), this.#settings.operationTimeout, name)
    } catch (error) {
      if ((error as Error | undefined)?.name === 'SessionStoreError') throw error
      throw new SessionStoreError('BACKEND', `the reader of ${name} failed; see cause`, error)
    }
  }
}
