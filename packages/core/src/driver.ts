/**
 * The driver interface, and the contract that every driver keeps. It is stated here and nowhere
 * else.
 *
 * A driver moves rows, in arrays, and decides nothing: the time is given to it (`now`), it knows no
 * session (`data` is opaque text) and it takes its arguments as they are (core has checked them).
 *
 * A row is *live* while `expiresAt > now`. A live row whose `data` is `null` is a *tombstone*: the
 * session was destroyed. A tombstone is live too, and no session.
 *
 * 1. Keys in one call are distinct and sorted, and a call is never empty. Times are whole
 *   milliseconds. Keys are printable ASCII without `:` (43 characters of base64url where ids are
 *   hashed, else at most 768).
 * 2. `write` decides each row alone, by its `expect`; a refusal of one row is no error and holds up
 *   no other:
 * - **create** (`''`) lands where there is no live row: not over a session, and not over a
 *   tombstone.
 * - **update** (a tag) lands only on a live row whose tag is `expect`. A missing row refuses an
 *   update, so every deletion is final. The row may be a tombstone: who names its tag has seen that
 *   the session was destroyed, and creates the id anew on purpose.
 * - **tombstone** (`expect` omitted, `data: null`) always lands. With a tag it is an update. A
 *   write whose own tag the live row carries has landed before and was sent twice (its reply was
 *   lost): it counts as landed and changes nothing, not even a deadline that was touched meanwhile.
 *   What lands replaces the row, with two exceptions where both the row replaced and the write are
 *   sessions and the row is live: `createdAt` stays as it was, and with `extend` the later of both
 *   deadlines counts. A tombstone whose `expiresAt` is not after `now` may remove the row instead.
 *   Nobody reads the `createdAt` of a tombstone.
 * 3. `touch` moves the deadline of a live session and nothing else: it never creates, never changes
 *   data or tag, never moves an expired row or a tombstone. With a `tag` it moves only a row that
 *   carries this tag: whoever saved meanwhile decided the deadline. A deadline in the past ends the
 *   session.
 * 4. `read` may return expired rows: core drops them by its own clock.
 * 5. `list` names each live session of the query over its pages, if it lived from the first page to
 *   the last; it may name one twice (Redis does while its table grows), and dead rows and
 *   tombstones. `next` is absent on the last page, opaque, and understood by every process. A page
 *   may be empty and still have a `next`. `user` given: it may name sessions of others too, core
 *   checks.
 * 6. `prune` removes rows that expired before `before` and that are over by the database's own
 *   clock, too (a driver may keep some for longer, for the sake of coarse indexes, but not for
 *   ever): a process whose clock is wrong removes no live session of others. It does about `limit`
 *   rows of work and returns how many went: less than `limit` means that nothing is left for now.
 * 7. A rejected call means "unknown": some, all or none of it may have landed. A driver sends a
 *   write again by itself only where it knows that the first try did nothing, or else says so:
 *   where a write may have been sent twice, and the database refused it, nobody can tell whether
 *   the first try landed before somebody else wrote. Then `write` rejects with an
 *   `UncertainWriteError`, which names the writes that landed for sure.
 * 8. No call takes effect later than `timeLimit` after it was rejected: what waits for a connection
 *   or for a lock is given up with the call.
 * 9. Errors are what the client threw, or a `SessionStoreError` where the driver knows the reason
 *   better.
 *
 * 10. A row that a newer version of the driver has laid out is a row like any other, with the `data`
 *   `NEWER_LAYOUT`: it keeps its key, tag, user and times in all versions. `setup` rejects with
 *   `SCHEMA_TOO_NEW` where the database is not for this version any more, and changes nothing then.
 *
 * There are no optional methods and no capability flags. Every method may be called at any time
 * after `setup` fulfilled, side by side with any other.
 */
export interface Driver {
  /** The database in one word, for events and messages: `redis`, `sqlite`, … */
  readonly name: string
  /**
   * Where in the database the rows are, such as a table or a prefix: sealed sessions open only
   * there.
   */
  readonly place: string
  /**
   * Connects and makes what is missing. Idempotent, safe when two processes race; may be called
   * again at any time. `timeLimit`, in milliseconds (default 5,000), is how long core waits for a
   * call: every wait of the driver's own, for a connection, a lock or a majority, ends before it.
   */
  setup(timeLimit?: number): Awaitable<void>
  /**
   * Returns the rows of these keys in any order, with tombstones and without missing ones: clause
   * 4.
   */
  read(keys: readonly string[]): Awaitable<Row[]>
  /**
   * Returns the keys of the writes that landed, in any order. Rejects with `UncertainWriteError` as
   * clause 7 says.
   */
  write(writes: readonly Write[], now: number): Awaitable<string[]>
  /** Moves the deadlines of live sessions, and nothing else: clause 3. */
  touch(touches: readonly Touch[], now: number): Awaitable<void>
  /**
   * Returns a page of the keys of live sessions; it may name dead rows and tombstones, too: clause
   * 5.
   */
  list(query: ListQuery): Awaitable<Page>
  /** Returns how many sessions are live. Tombstones do not count. */
  count(now: number): Awaitable<number>
  /**
   * Removes about `limit` rows that expired before `before`, and returns how many went: clause 6.
   */
  prune(before: number, limit: number): Awaitable<number>
  /**
   * Removes every row of this store, with tombstones and in bounded steps, and nothing else. Begins no
   * step once `signal` is aborted: the call was given up, and sessions may have begun since.
   */
  clear(signal?: AbortSignal): Awaitable<void>
  /** Returns the time of the database's clock, in epoch milliseconds. */
  ping(): Awaitable<number>
  /** Closes what the driver opened itself, never what it was lent. */
  close(): Awaitable<void>
}

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/** A session, or the tombstone of one, as a database holds it. */
export interface Row {
  /** The hash of the session's id (or the escaped id itself, with `hashIds: false`). */
  key: string
  /** The encoded, perhaps sealed, session; `null` in a tombstone. */
  data: string | null
  /**
   * New on every write, made by core; printable ASCII without spaces, at most 32 characters, never
   * empty.
   */
  tag: string
  /** A hash of the user's id, or `null`; indexed. 43 characters of base64url. */
  user: string | null
  /** Epoch milliseconds; kept by every later write of the same session. */
  createdAt: number
  /** Epoch milliseconds, at most 8.64e15; every row has one. */
  expiresAt: number
}

/** A row to be written, and the condition under which the write lands: clause 2. */
export interface Write extends Row {
  /**
   * `''` creates. A tag updates the live row that carries it. Without `expect`, and only with
   * `data: null`, the write is a tombstone that always lands.
   */
  expect?: string | undefined
  /**
   * The deadline may only move later: where the replaced session ends later, its deadline stays.
   *
   * @default false
   */
  extend?: boolean | undefined
}

/** A new deadline for a session: clause 3. */
export interface Touch extends Pick<Row, 'key' | 'expiresAt'> {
  /** The row's user as far as the caller knows, for drivers whose user index is separate. */
  user: Row['user']
  /**
   * The touch moves only a row that carries this tag. Without it, the touch moves the row whatever
   * its tag.
   */
  tag?: Row['tag'] | undefined
}

/** Which keys a page of `list` holds: clause 5. */
export interface ListQuery {
  /** Only sessions of this user (the hash, as in `Row.user`). */
  user?: string | undefined
  /** The `next` of the previous page. */
  after?: string | undefined
  /** About how many keys, at least 1. A page may be a little longer. */
  limit: number
}

/** A page of `list`. */
export interface Page {
  keys: string[]
  /** Absent on the last page. */
  next?: string | undefined
}

/**
 * Returns the page for up to `limit + 1` keys in their order: a driver asks the database for one
 * key more than the page holds, which shows whether there is a next page. For authors of drivers.
 */
export function pageOf(keys: string[], limit: number): Page {
  if (keys.length <= limit) return { keys }
  keys.length = limit
  return { keys, next: keys[limit - 1] }
}

const VERBS = ['setup', 'read', 'write', 'touch', 'list', 'count', 'prune', 'clear', 'ping', 'close'] as const

/** @throws TypeError where the value is no driver. */
export function requireDriver(value: unknown): asserts value is Driver {
  const driver = (value ?? {}) as Partial<Record<keyof Driver, unknown>>
  const isDriver =
    typeof driver.name === 'string' &&
    typeof driver.place === 'string' &&
    VERBS.every((verb) => typeof driver[verb] === 'function')
  if (!isDriver)
    throw new TypeError(
      'new SessionStore takes a driver, and then the options: for a database write new RedisStore({ url }), ' +
        'PostgresStore, MongoStore or SqliteStore, and for tests new SessionStore(memoryDriver())',
    )
}
