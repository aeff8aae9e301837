/**
 * The driver interface, and the contract that every driver keeps. It is stated here and nowhere else.
 *
 * A driver moves rows, in arrays, and decides nothing: it has no clock (`now` is given), knows no session
 * (`data` is opaque text) and takes its arguments as they are (core has checked them).
 *
 * A row is *live* while `expiresAt > now`. A live row whose `data` is `null` is a *tombstone*: the session
 * was destroyed. A tombstone is live too, and no session.
 *
 * 1. Keys in one call are distinct and sorted, and a call is never empty. Times are whole milliseconds. Keys are printable ASCII without
 *    `:` (43 characters of base64url where ids are hashed, else at most 768).
 * 2. `write` decides each row alone, by its `expect`; a refusal of one row is no error and holds up no other:
 *    - **upsert** (`expect` omitted) lands unless a live tombstone is there; a tombstone always lands.
 *    - **create** (`''`) lands where there is no row, a tombstone, an expired row, or a row with the write's
 *      own `tag`.
 *    - **update** (a tag) lands only on a live row that is no tombstone and whose tag is `expect` or the
 *      write's own. A missing row refuses an update, so every deletion is final.
 *    The write's own tag lands again, so a call that is sent twice (a lost reply) changes nothing.
 *    What lands replaces the row, but `createdAt` stays as it was where the row replaced is a live session
 *    and the write is no tombstone.
 *    A tombstone whose `expiresAt` is not after `now` may remove the row instead.
 * 3. `touch` moves the deadline of a live session and nothing else: it never creates, never changes data or
 *    tag, never moves an expired row or a tombstone. A deadline in the past ends the session.
 * 4. `read` may return expired rows: core drops them by its own clock.
 * 5. `list` names each live session of the query over its pages, if it lived from the first page to the
 *    last; it may name one twice (Redis does while its table grows), and dead rows and tombstones. `next` is
 *    absent on the last page, opaque, and understood by every process. A page may be empty and still have a
 *    `next`. `user` given: it may name sessions of others too, core checks.
 * 6. `prune` removes rows that expired before `before` (a driver may keep some for longer, for the sake of
 *    coarse indexes, but not for ever) and never a live one; it does about `limit` rows of work and returns
 *    how many went: less than `limit` means that nothing is left for now.
 * 7. A rejected call means "unknown": some, all or none of it may have landed.
 * 8. Errors are what the client threw, or a `SessionStoreError` where the driver knows the reason better.
 *
 * There are no optional methods and no capability flags. Every method may be called at any time after
 * `setup` fulfilled, side by side with any other.
 */
export interface Driver {
  /** The database in one word, for events and messages: `redis`, `sqlite`, … */
  readonly name: string
  /** Connects and makes what is missing. Idempotent, safe when two processes race; may be called again after it failed. */
  setup(): Awaitable<void>
  /** The rows of these keys, in any order; missing ones left out, tombstones included. */
  read(keys: readonly string[]): Awaitable<Row[]>
  /** Returns the keys of the writes that landed, in any order. */
  write(writes: readonly Write[], now: number): Awaitable<string[]>
  touch(touches: readonly Touch[], now: number): Awaitable<void>
  list(query: ListQuery): Awaitable<Page>
  /** Live sessions; tombstones do not count. */
  count(now: number): Awaitable<number>
  prune(before: number, limit: number): Awaitable<number>
  /** Removes every row of this store, tombstones included, in bounded steps; nothing else. */
  clear(): Awaitable<void>
  /** Fulfils if the database answers. */
  ping(): Awaitable<void>
  /** Closes what the driver opened itself, never what it was lent. */
  close(): Awaitable<void>
}

export type Awaitable<T> = T | Promise<T>

/** A session, or the tombstone of one, as a database holds it. */
export interface Row {
  /** The hash of the session's id (or the escaped id itself, with `hashIds: false`). */
  key: string
  /** The encoded, perhaps sealed, session; `null` in a tombstone. */
  data: string | null
  /** New on every write, made by core; printable ASCII without spaces, at most 32 characters, never empty. */
  tag: string
  /** A hash of the user's id, or `null`; indexed. 43 characters of base64url. */
  user: string | null
  /** Epoch milliseconds; kept by every later write of the same session. */
  createdAt: number
  /** Epoch milliseconds, at most 8.64e15; every row has one. */
  expiresAt: number
}

/** `expect` omitted: upsert; `''`: create; else an update of the row that carries this tag. */
export interface Write extends Row {
  expect?: string | undefined
}

/** `user` is the row's own, for drivers that keep the user index apart. */
export type Touch = Pick<Row, 'key' | 'user' | 'expiresAt'>

export interface ListQuery {
  /** Only sessions of this user (the hash, as in `Row.user`). */
  user?: string | undefined
  /** Where the page before ended: its `next`. */
  after?: string | undefined
  /** About how many keys, at least 1; a page may be a little longer. */
  limit: number
}

export interface Page {
  keys: string[]
  next?: string | undefined
}
