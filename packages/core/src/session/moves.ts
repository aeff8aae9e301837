import type { SessionData } from 'express-session'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { toPromise } from '../dispatch/settle.ts'
import type { Row, Write } from '../driver.ts'
import type { Codec } from '../encoding/codec.ts'
import { type Keys, sha256 } from '../encoding/key.ts'
import { isStoreError, UncertainWriteError } from '../errors.ts'
import type { LegacyReader, LegacyRow, LegacySession, MoveOptions, MoveOutcome } from '../legacy.ts'
import type { Settings } from '../options.ts'
import { MAX_TIME } from './cookie.ts'
import { isLive } from './deadline.ts'
import { cookieOf, NEVER, publish, type SaveParts, type WriteFactory } from './save.ts'
import type { SentWrite } from './sent.ts'
import { Source, UNREADABLE } from './source.ts'
import type { Tags } from './tag.ts'
import { userOf } from './user.ts'

/** A call that waits for a move. */
interface Asker {
  readonly done: boolean
}

/** A move on its way, and the calls that wait for it. */
interface Moving {
  askers: Asker[]
  found: Promise<Row | undefined>
}

/** How far apart the clocks of processes may be that all follow `until`. Milliseconds. */
const MARGIN = 60_000
/** How many rows of the other store are removed at a time. */
const PAGE = 256
/** A session that is younger than this, in milliseconds, may still be on its way in. */
const SETTLED = 60_000
/** Deadlines of the other store that differ by less than this, in milliseconds, count as one. */
const CLOCK_TOLERANCE = 2000

/**
 * Moves sessions in from another store: see the option `legacy`. A move creates and never
 * overwrites, so of any number of movers one lands, and a tombstone refuses them all.
 */
export class Moves {
  readonly #dispatcher: Dispatcher
  readonly #codec: Codec
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #tags: Tags
  readonly #writes: WriteFactory
  readonly #source: Source | undefined
  readonly #moving = new Map<string, Moving>()

  constructor({ dispatcher, codec, keys, settings, tags, writes }: Omit<SaveParts, 'order'>) {
    this.#dispatcher = dispatcher
    this.#codec = codec
    this.#keys = keys
    this.#settings = settings
    this.#tags = tags
    this.#writes = writes
    this.#source = settings.legacy && this.#sourceOf(settings.legacy.from)
  }

  /** Whether sessions of another store are still taken in. */
  get isOn(): boolean {
    const { legacy, now } = this.#settings
    return legacy !== undefined && now() < legacy.until.getTime()
  }

  /** Whether processes with the other store may still run, which end sessions there. */
  get isKeeping(): boolean {
    return this.#settings.legacy?.keep === true && this.isOn
  }

  /**
   * Returns until when a tombstone lives. A process with the other store may write the row anew as
   * long as it runs, so only `until` is late enough.
   */
  tombstoneEnd(now: number): number {
    const { legacy, tombstoneTimeout } = this.#settings
    const usual = now + tombstoneTimeout
    return legacy === undefined ? usual : Math.max(usual, legacy.until.getTime() + MARGIN)
  }

  /**
   * Looks for the session of a key that has no row here, and returns its row once it has moved in.
   * Calls for one key share a move.
   */
  find(key: string, id: string, asker: Asker): Promise<Row | undefined> {
    const moving = this.#moving.get(key)
    if (moving !== undefined) {
      moving.askers.push(asker)
      return moving.found
    }
    const askers = [asker]
    const found = this.#find(key, id, {
      // No session moves in after its calls were given up, because a `clear` may have followed.
      get done() {
        return askers.every(({ done }) => done)
      },
    })
    this.#moving.set(key, { askers, found })
    const forget = (): void => void this.#moving.delete(key)
    found.then(forget, forget)
    return found
  }

  async #find(key: string, id: string, asker: Asker): Promise<Row | undefined> {
    const source = this.#source!
    const { keep = false } = this.#settings.legacy!
    const found = await source.read(id, key)
    // Another process may have moved the session after this one looked for it here.
    if (found === null) return this.#readRow(key)
    if (found === UNREADABLE || asker.done) return undefined
    const outcome = await this.#create(source, key, id, found, { keep }, asker)
    if (outcome === 'unreadable' || outcome === 'expired') return undefined
    // The session is here, so a row that stays behind harms nobody: `migrate` removes it.
    if (outcome === 'moved' && !keep) await source.delete(id).catch((error) => source.warn(error))
    return this.#readRow(key)
  }

  /** Moves one row that a scan of the other store returned. */
  async moveIn(
    from: LegacyReader,
    { id, found, error }: LegacyRow,
    { keep = false, dryRun = false }: MoveOptions,
    asker: Asker,
  ): Promise<MoveOutcome> {
    const source = this.#sourceOf(from)
    const key = this.#keys.find(id)
    if (key !== undefined && error !== undefined) source.publish(key, error)
    // No session can have this id.
    if (key === undefined || found === undefined) return 'unreadable'
    const row = await this.#readRow(key)
    const outcome = row
      ? this.#outcomeOf(row)
      : await this.#create(source, key, id, found, { keep, dryRun }, asker)
    if (keep || dryRun || outcome === 'unreadable' || outcome === 'expired') return outcome
    if (outcome === 'present') {
      // Another process is moving this session, and removes the row itself.
      if (row === undefined || row.createdAt > this.#settings.now() - SETTLED) return outcome
      // With its record, the copy would take the missing row for the end of the session.
      await this.#remember(id, 0)
    }
    await source.delete(id)
    return outcome
  }

  /** Removes the row of the other store, after the session's tombstone has been written. */
  remove(id: string): Promise<void> {
    return this.#source!.delete(id)
  }

  /** Whether the other store has a row for this id, as far as one can tell. */
  has(id: string, key: string): Promise<boolean> {
    return this.#source!.read(id, key).then(
      (found) => found !== null,
      () => true,
    )
  }

  /** Removes all sessions of the other store. What is no session stays. */
  async clear(): Promise<void> {
    const source = this.#source!
    let after: string | undefined
    do {
      const page = await source.scan(after, PAGE)
      const sessions = page.rows.filter(({ found }) => found !== undefined)
      await Promise.all(sessions.map(({ id }) => source.delete(id)))
      after = page.next
    } while (after !== undefined)
  }

  /**
   * Ends a copied session where a process with the other store has ended the original, and resolves
   * with whether it did. A copy has a record that lives as long as the row of the other store: if
   * that row is missing earlier, the session was ended.
   */
  async endWithOriginal({ key }: Row, id: string): Promise<boolean> {
    const now = this.#settings.now()
    const record = await this.#readRow(recordOf(id))
    if (record === undefined || record.expiresAt <= now) return false
    const found = await this.#source!.read(id, key)
    if (found === UNREADABLE) return false
    if (found === null) {
      await this.#writeTombstone(key, now, this.tombstoneEnd(now))
      publish('ended', this.#dispatcher.driver.name, () => this.#keys.handle(key))
      return true
    }
    // A process with the other store has touched the session.
    const end = this.#recordEnd(found)
    if (end > record.expiresAt + CLOCK_TOLERANCE) await this.#remember(id, end)
    return false
  }

  /** Creates the session here where there is none, and nothing refuses it. */
  async #create(
    source: Source,
    key: string,
    id: string,
    found: LegacySession,
    { keep, dryRun }: MoveOptions,
    asker: Asker,
  ): Promise<MoveOutcome> {
    const now = this.#settings.now()
    const expiresAt = Math.min(Math.floor(found.expiresAt ?? now + this.#settings.idleTimeout), MAX_TIME)
    if (!(expiresAt > now)) return 'expired'
    let write: SentWrite
    try {
      write = await this.#toWrite(key, found.session, expiresAt, now)
    } catch (error) {
      if (isStoreError(error) && error.code === 'TIMEOUT') throw error
      source.publish(key, error)
      return 'unreadable'
    }
    if (dryRun) return 'moved'
    // The record comes first, so that no copy is without one.
    if (keep) await this.#remember(id, this.#recordEnd(found))
    if (await this.#lands(write, asker)) return 'moved'
    const row = await this.#readRow(key)
    return row === undefined ? 'expired' : this.#outcomeOf(row)
  }

  async #toWrite(key: string, session: SessionData, expiresAt: number, now: number): Promise<SentWrite> {
    cookieOf(session)
    const text = await this.#codec.toText(session)
    const user = userOf(await this.#codec.toSession(text), this.#settings)
    return this.#writes.create({ key, text, user, expiresAt, extend: false }, now, '')
  }

  async #lands(write: SentWrite, asker: Asker): Promise<boolean> {
    try {
      return await toPromise<boolean>((done) => this.#dispatcher.writeAside(write, done, asker))
    } catch (error) {
      if (!(error instanceof UncertainWriteError)) throw error
      const row = await this.#readRow(write.key)
      if (row === undefined) throw error
      return row.tag === write.tag
    }
  }

  #outcomeOf(row: Row): MoveOutcome {
    if (row.data === null) return 'ended'
    return isLive(row, this.#settings) ? 'present' : 'expired'
  }

  /**
   * Writes the record of a copied session: a tombstone under a key of its own, which no list shows
   * and no count counts. An end in the past removes it.
   */
  #remember(id: string, expiresAt: number): Promise<void> {
    return this.#writeTombstone(recordOf(id), NEVER, expiresAt)
  }

  async #writeTombstone(key: string, createdAt: number, expiresAt: number): Promise<void> {
    const write: Write = { key, data: null, tag: this.#tags.next(), user: null, createdAt, expiresAt }
    await toPromise((done) => this.#dispatcher.writeAside(write, done))
  }

  /** Returns a time a little before the end, because a row that has just expired is missing, too. */
  #recordEnd({ expiresAt }: LegacySession): number {
    const end = expiresAt ?? this.#settings.legacy?.until.getTime() ?? MAX_TIME
    return Math.floor(end - CLOCK_TOLERANCE)
  }

  #readRow(key: string): Promise<Row | undefined> {
    return toPromise<Row | undefined>((done) => this.#dispatcher.read(key, done))
  }

  #sourceOf(reader: LegacyReader): Source {
    return new Source(reader, this.#dispatcher, this.#keys, this.#settings)
  }
}

/** Returns the key of the record of a copied session. */
const recordOf = (id: string): string => sha256(`copied:${id}`)
