import type { ConnectionOptions } from 'node:tls'
import {
  checkOptions,
  type Driver,
  type OptionRule,
  type Page,
  type Row,
  SessionStore,
  type StoreOptions,
  splitOptions,
  type Touch,
  timers,
  UncertainWriteError,
  type Write,
} from '@session-stores/core'
import { callEach, type Note, type RedisClient, type Run, runScript } from './client.ts'
import { Connection } from './connection.ts'
import { guarded } from './guard.ts'
import { linkOf } from './lent.ts'
import { digits, toForeignRow, toRow, toValue } from './row.ts'
import { scan, scanAll, scanMembers } from './scan.ts'
import {
  COUNT,
  CROSSING,
  ENDED,
  INDEX,
  MARGIN,
  OURS,
  OWNED,
  REMOVE,
  REMOVE_OURS,
  REVIVED,
  SPAN,
  STEP,
  TOUCH,
  TOUCH_INDEXED,
  UNINDEX,
  WRITE,
} from './statements.ts'

const { uptime } = timers

export type { RedisClient, RedisNode } from './client.ts'

/** Either `url` or `client`. */
export type RedisOptions = (
  | {
      /**
       * `redis://[[user]:password@]host[:port][/database]`, `rediss://` for TLS, or the path of a socket with `?db=…`, as
       * ioredis takes them. `close()` ends the connection.
       */
      url: string
      /** What `tls.connect` of Node takes, such as `ca`, `cert` and `key`. */
      tls?: ConnectionOptions
      client?: undefined
    }
  | {
      /** An ioredis `Redis` or `Cluster`; `close()` leaves it open. */
      client: RedisClient
      url?: undefined
      tls?: undefined
    }
) & {
  /** What the keys begin with; stores with different prefixes share a database. Ends with one `:`. Default `sess:`. */
  prefix?: string
}

const rules: Record<'url' | 'tls' | 'client' | 'prefix', OptionRule> = {
  url: ["a URL such as 'redis://localhost:6379/0' (rediss: for TLS), or the path of a socket", isRedisUrl],
  tls: ["what Node's tls.connect takes, such as { ca }", (value) => typeof value === 'object'],
  client: [
    "an ioredis Redis or Cluster: write new Redis(url) with 'ioredis', not createClient of 'redis' (node-redis); await a " +
      "promise of one; a URL is the option 'url'",
    (value) => ['call', 'on'].every((name) => typeof (value as never)?.[name] === 'function'),
  ],
  prefix: [
    "a text that ends with one ':', such as 'sess:'",
    (value) => typeof value === 'string' && /^(.*[^:])?:$/s.test(value),
  ],
}

/**
 * Sessions in Redis or Valkey, one string each, whose head is text of fixed places (see `row.ts`), so that one MGET
 * reads many with their deadlines, and scripts decide by the head alone.
 * Throws a `TypeError` for a wrong option; connects with the first call.
 */
export function redisDriver(options: RedisOptions): Driver {
  checkOptions(options, rules)
  const { url, tls, client: lent, prefix = 'sess:' } = options
  if ((url === undefined) === (lent === undefined) || (lent && tls))
    throw new TypeError(
      "give one of the options 'url' (with 'tls') and 'client' (an ioredis Redis or Cluster)",
    )
  const link = lent ? linkOf(lent) : new Connection(url!, tls)
  const { client } = link
  const isCluster = client.isCluster === true
  const run: Run = { link, timeLimit: 5000, start: 0 }
  /** What scripts begin with: `now`, and the latest time for what began at `start`. */
  const timesOf = (now: number, start = uptime()): string => digits(now) + link.timeAt(start + run.timeLimit)

  /** Enters sessions into the index of their users: before the sessions, so that it always names them all. */
  function index(rows: readonly Indexed[], now: number, sign = ''): Promise<unknown> | undefined {
    const owners = rows.filter((row) => row.user !== null)
    if (owners.length === 0) return undefined
    const past = timesOf(Math.max(0, now - MARGIN))
    return runScript(run, INDEX, past, owners, ({ key, user, expiresAt }) => {
      const until = endOfSpan(expiresAt)
      return [`${prefix}:${user}`, key, `${sign}${until}`, ttl(until, now)]
    })
  }

  /** Removes ended sessions from the index of their users. What is left there goes by itself. */
  async function unindex(ended: readonly Indexed[], now: number): Promise<void> {
    const late = digits(now) + link.timeAt(uptime() + Math.min(run.timeLimit, UNINDEX_LIMIT))
    await runScript(run, UNINDEX, late, ended, ({ key, user, expiresAt }) => [
      `${prefix}:${user}`,
      key,
      `${endOfSpan(expiresAt)}`,
    ]).catch(() => {})
  }

  /**
   * Returns the writes that did not land. `covers`: what the index of the user covers, where that is more than the end
   * of the deadline's span.
   */
  const save = (
    writes: readonly Write[],
    now: number,
    times: string,
    notes: Note<Write>[],
    covers?: Map<Write, number>,
  ) =>
    runScript(
      run,
      WRITE,
      times,
      writes,
      (write) => {
        const { key, data, expiresAt } = write
        // A tombstone stays in any case: whoever begins the session again must notice that it may be no longer indexed.
        const until = data === null ? Math.max(expiresAt, now + 1) : expiresAt
        return [prefix + key, expected(write, covers?.get(write)), ttl(until, now), toValue(write)]
      },
      notes,
    )

  /** Does what follows from the notes of `save`. Returns the keys of the writes that landed only now. */
  async function follow(
    notes: readonly Note<Write>[],
    now: number,
    times: string,
    start: number,
  ): Promise<string[]> {
    const landed: string[] = []
    const of = (letter: string) => notes.filter((note) => note.letter === letter)
    const revived = of(REVIVED).map(({ row }) => row)
    // The end of the session before may remove its entry only now: so it is entered again, and otherwise.
    await index(revived, now, '+')
    const ended = of(ENDED).map(({ row: { key }, text }) => ({
      key,
      expiresAt: Number(text.slice(0, 16)),
      user: text.slice(16),
    }))
    if (ended.length > 0 && uptime() - start < UNINDEX_LIMIT) await unindex(ended, now)
    const crossing = of(CROSSING).map(({ row, text }) => ({ row, until: Number(text) }))
    if (crossing.length > 0) {
      const rows = crossing.map(({ row: { key, user }, until }) => ({ key, user, expiresAt: until }))
      await index(rows, now)
      const covers = new Map(crossing.map(({ row, until }) => [row, endOfSpan(until)]))
      const more: Note<Write>[] = []
      const again = [...covers.keys()]
      const refused = await save(again, now, times, more, covers)
      landed.push(...keysOf(again, refused), ...(await follow(more, now, times, start)))
    }
    return landed
  }

  /** Returns those whose index must cover them first; `indexed`: it does, if they are still that user's. */
  const move = (touches: readonly Touch[], now: number, times: string, indexed: boolean) => {
    // Touches that come together share their deadline, which is then sent once.
    let [shared, places] = [Number.NaN, '']
    return runScript(
      run,
      indexed ? TOUCH_INDEXED : TOUCH,
      times,
      touches,
      ({ key, user, tag, expiresAt }, isFirst) => {
        const isSame = expiresAt === shared && !isFirst
        if (expiresAt !== shared) {
          shared = expiresAt
          const span = Math.floor(expiresAt / SPAN) * SPAN
          places =
            digits(expiresAt) +
            digits(Math.max(endOfKey(expiresAt) - MARGIN - STEP + 1, span)) +
            digits(span) +
            ttl(expiresAt, now).padStart(16, '0')
        }
        const begin = isSame ? '' : places
        const row = indexed ? begin + (user ?? '').padEnd(43) : begin
        return [prefix + key, tag === undefined ? row : `${row}${tag} `]
      },
    )
  }

  /** The sessions of a user on a page of all, for an index of which Redis may have removed a part. */
  async function search(user: string, after: string | undefined, limit: number): Promise<Page> {
    const { keys, next } = await scan(client, prefix, after, limit)
    const sessions = keys.filter(isSession)
    const own = await runScript(run, OWNED, timesOf(0), sessions, (key) => [prefix + key, user])
    return { keys: own, next: next && SEARCH + next }
  }

  const verbs: Omit<Driver, 'name' | 'place' | 'setup' | 'close'> = {
    async read(keys) {
      const names = keys.map((key) => prefix + key)
      // MGET even of one: GET fails where somebody else keeps a hash or a list.
      const values = isCluster
        ? (await callEach(client, 'MGET', names)).flat()
        : ((await client.call('MGET', ...names)) as unknown[])
      const rows: Row[] = []
      if (!Array.isArray(values) || values.length !== keys.length) return link.refuseAnswer(run.timeLimit)
      let fits = true
      for (let i = 0; i < keys.length; i++) {
        const value = values[i]
        if (value === null) continue
        const key = keys[i]!
        const row = typeof value === 'string' ? toRow(key, value) : undefined
        fits &&= row !== undefined
        rows.push(row ?? toForeignRow(key, value))
      }
      // Somebody else's string, or the answer to another command.
      if (!fits) await link.checkStep(run.timeLimit)
      return rows
    },
    async write(writes, now) {
      const { breaks } = link
      const { start } = run
      const times = timesOf(now, start)
      const notes: Note<Write>[] = []
      const indexed = index(writes, now)
      // A single server does first what is sent first.
      if (isCluster && indexed) await indexed
      const written = save(writes, now, times, notes)
      const [refused] = indexed ? await Promise.all([written, indexed]) : [await written]
      const landed = keysOf(writes, refused)
      if (notes.length > 0) landed.push(...(await follow(notes, now, times, start)))
      // The client that was lent may have sent it twice.
      if (landed.length < writes.length && link.breaks !== breaks) throw new UncertainWriteError(landed)
      return landed
    },
    async touch(touches, now) {
      const times = timesOf(now, run.start)
      const crossing = await move(touches, now, times, false)
      if (crossing.length === 0) return
      // The row says whose it is: who touches it may know less, or what was so before somebody's save.
      const rows = await verbs.read(crossing.map(({ key }) => key))
      const users = new Map(rows.map(({ key, user }) => [key, user]))
      const owned = crossing.map((touch) => ({ ...touch, user: users.get(touch.key) ?? null }))
      await index(owned, now)
      // What is another user's by now was saved meanwhile, with a deadline of its own.
      await move(owned, now, times, true)
    },
    async list({ user, after, limit }) {
      // A walk goes on as it began.
      const isSearch = after === undefined ? link.evicts : after.startsWith(SEARCH)
      if (user !== undefined && isSearch) return search(user, after?.slice(SEARCH.length), limit)
      if (user !== undefined) return scanMembers(client, `${prefix}:${user}`, after, limit)
      const { keys, next } = await scan(client, prefix, after, limit)
      const plain = keys.filter(isPlain)
      const own = await runScript(run, OURS, timesOf(0), plain, (name) => [prefix + name])
      return { keys: [...keys.filter(isHash), ...own], next }
    },
    async count(now) {
      let count = 0
      for await (const names of scanAll(client, prefix)) {
        const sessions = names.filter(isSession)
        count += (await runScript(run, COUNT, timesOf(now), sessions, (name) => [prefix + name])).length
      }
      return count
    },
    // Sessions go by their TTL, and so do index entries, at the user's next save or altogether.
    async prune() {
      return 0
    },
    async clear() {
      // Each step has its own time limit, which begins with its walk: a store of any size can be cleared.
      let times = timesOf(0)
      for await (const names of scanAll(client, prefix)) {
        const keyOf = (name: string): [string] => [prefix + name]
        const own = names.filter((name) => isHash(name) || isIndex(name))
        await Promise.all([
          runScript(run, REMOVE, times, own, keyOf),
          runScript(run, REMOVE_OURS, times, names.filter(isPlain), keyOf),
        ])
        times = timesOf(0)
      }
    },
    ping: () => link.time(),
  }
  const calls = guarded(verbs, run)
  return {
    name: 'redis',
    place: (client.options?.keyPrefix ?? '') + prefix,
    async setup(timeLimit = 5000) {
      run.timeLimit = timeLimit
      link.limit(timeLimit)
      await calls.ping()
    },
    ...calls,
    close: () => link.close(),
  }
}

/** express-session's store on Redis or Valkey: one server, Sentinel or Cluster. */
export class RedisStore extends SessionStore {
  /** Throws a `TypeError` for a wrong option. */
  constructor(options: RedisOptions & StoreOptions) {
    const [own, rest] = splitOptions<RedisOptions>(options, rules)
    super(redisDriver(own), rest)
  }
}

type Indexed = Pick<Row, 'key' | 'user' | 'expiresAt'>

/**
 * An ended session leaves its user's index within this time, in milliseconds, or by itself: well before its tombstone
 * goes, which tells whoever begins the session again.
 */
const UNINDEX_LIMIT = MARGIN / 3

/** What `next` begins with on the pages of `search`. */
const SEARCH = 's'

/** When a key with this deadline goes, in epoch milliseconds. */
const endOfKey = (expiresAt: number): number => Math.ceil((expiresAt + MARGIN) / STEP) * STEP

/** What the index of a user covers at least, once a session with this deadline is entered. */
const endOfSpan = (expiresAt: number): number => (Math.floor(expiresAt / SPAN) + 1) * SPAN

const ttl = (expiresAt: number, now: number): string =>
  expiresAt > now ? String(endOfKey(expiresAt) - now) : '0'

/** The keys of the writes that landed. */
function keysOf(writes: readonly Write[], refused: readonly Write[]): string[] {
  const others = new Set(refused)
  return writes.filter((write) => !others.has(write)).map(({ key }) => key)
}

/** `cover`: the end of what the index of the user covers, where that is more than the end of the deadline's span. */
function expected({ tag, expect, extend }: Write, cover: number | undefined): string {
  if (expect === undefined) return '!'
  if (expect === '') return ''
  const sign = !extend ? '=' : cover === undefined ? '>' : `#${digits(cover)}`
  // No row has an empty tag: where its own is there already, the write has landed.
  return `${sign}${expect === tag ? '' : expect} `
}

/** Keys of sessions have no ':', so stores with the prefixes `sess:` and `sess:app:` do not see each other's. */
const isSession = (name: string): boolean => isHash(name) || isPlain(name)
/** The name of a session, as core makes it of its id. */
const isHash = (name: string): boolean => /^[\w-]{43}$/.test(name)
/** Or, with `hashIds: false`: also what others may call a key of theirs, so that its value must tell. */
const isPlain = (name: string): boolean => /^[!-9;-~]+$/.test(name) && !isHash(name)
const isIndex = (name: string): boolean => /^:[\w-]{43}$/.test(name)

const isDatabase = (text: string): boolean => /^\d*$/.test(text)

function isRedisUrl(value: unknown): boolean {
  if (typeof value !== 'string' || value === '') return false
  if (/^\/[^/]/.test(value)) return isDatabase(new URLSearchParams(value.split('?')[1]).get('db') ?? '')
  // ioredis reads what has no scheme as if it had this one.
  const hasScheme = /^(rediss?:)?\/\//.test(value)
  const url = hasScheme ? value.replace(/^\/\//, 'redis://') : `redis://${value}`
  if (!URL.canParse(url)) return false
  const { username, password, pathname } = new URL(url)
  try {
    decodeURIComponent(username + password)
  } catch {
    return false
  }
  return hasScheme ? isDatabase(pathname.slice(1)) : pathname.length < 2
}
