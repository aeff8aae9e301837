import {
  type LegacyOptions,
  type LegacyPage,
  type LegacyReader,
  type LegacySession,
  SessionStoreError,
} from '@session-stores/core'
import { DAY, HOUR } from '../common.ts'
import { ID, makeLasting } from './sessions.ts'

/**
 * Another session store, in memory, as processes that still run with it and a reader of its rows
 * see it.
 */
export class OtherStore implements LegacyReader {
  readonly name = 'other-store'
  /** The rows by their ids; `null` is a row that is no session. */
  readonly rows: Map<string, LegacySession | null> = new Map()
  reads = 0
  /** Whether `delete` fails. */
  isReadOnly = false
  /** Is called before a read is answered. */
  onRead: (() => Promise<unknown>) | undefined
  /** The place that this store refuses. */
  place: string | undefined

  /** Returns the option `legacy`, which lasts for a month. */
  from(now: number, others: Partial<LegacyOptions> = {}): { legacy: LegacyOptions } {
    return { legacy: { from: this, until: new Date(now + 30 * DAY), ...others } }
  }

  refuse({ place }: { place: string }): string | undefined {
    return place === this.place ? 'take another place' : undefined
  }

  async read(id: string): Promise<LegacySession | null> {
    this.reads++
    const row = this.rows.get(id)
    await this.onRead?.()
    if (row === null) throw unreadable()
    return row ? structuredClone(row) : null
  }

  async delete(id: string): Promise<void> {
    if (this.isReadOnly) throw new SessionStoreError('READ_ONLY', 'the other store takes no writes')
    this.rows.delete(id)
  }

  async scan(): Promise<LegacyPage> {
    const rows = [...this.rows].map(([id, found]) => (found ? { id, found } : { id, error: unreadable() }))
    return { rows }
  }

  async count(): Promise<number> {
    return this.rows.size
  }

  async check(): Promise<void> {}
}

const unreadable = (): SessionStoreError =>
  new SessionStoreError('CORRUPT', 'a row of the other store is no session')

/** What the session in the other store holds. */
export const data = { user: 'ann', cart: [1, 2] } as const

/** Makes another store that holds one session of ann, which lives for an hour. */
export function makeOther({ clock }: { clock: { now: number } }, life: number = HOUR): OtherStore {
  const other = new OtherStore()
  other.rows.set(ID, { session: makeLasting(clock.now, life, data), expiresAt: clock.now + life })
  return other
}
