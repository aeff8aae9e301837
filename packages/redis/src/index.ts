import {
  checkOptions,
  type Driver,
  type OptionRule,
  type Row,
  SessionStore,
  SessionStoreError,
  type SessionStoreErrorCode,
  type StoreOptions,
  splitOptions,
  type Touch,
  type Write,
} from '@session-stores/core'
import { type Connection, connection } from './connection.ts'
import { INDEX, type Script, TOUCH, WRITE } from './scripts.ts'

/** What the driver uses of an ioredis `Redis` or `Cluster`, so that no version of it is forced. */
export interface RedisClient extends RedisNode {
  /** Of a `Cluster`. */
  readonly isCluster?: boolean
  nodes?(role: 'master'): RedisNode[]
}

/** One server, or the only one. */
export interface RedisNode {
  readonly options?: { host?: string; port?: number }
  call(command: string, ...args: (string | number)[]): Promise<unknown>
}

/** Either `url` or `client`. */
export type RedisOptions = (
  | {
      /** `redis://[[user]:password@]host[:port][/database]`, or `rediss://` for TLS. `close()` ends the connection. */
      url: string
      client?: undefined
    }
  | {
      /** An ioredis `Redis` or `Cluster`; `close()` leaves it open. */
      client: RedisClient
      url?: undefined
    }
) & {
  /** What the keys begin with; stores with different prefixes share a database. Ends with one `:`. Default `sess:`. */
  prefix?: string
}

const rules: Record<keyof RedisOptions, OptionRule> = {
  url: ["a URL such as 'redis://localhost:6379/0' (rediss: for TLS)", isRedisUrl],
  client: [
    'an ioredis Redis or Cluster',
    (value) => typeof (value as RedisClient | null)?.call === 'function',
  ],
  prefix: [
    "a text that ends with one ':', such as 'sess:'",
    (value) => /^(.*[^:])?:$/s.test(value as string),
  ],
}

/** A key outlives its deadline by this, in milliseconds: core judges expiry, and clocks of processes differ. */
const MARGIN = 60_000
/** Index entries move only when a deadline enters the next of these spans, in milliseconds. */
const SPAN = 3_600_000
/** About how much one script is given, in characters, so that Redis is not held up. */
const SCRIPT_SIZE = 512 * 1024
/** How many keys `clear` and `count` ask for at a time. */
const PAGE = 500

/**
 * Sessions in Redis or Valkey, one string each, whose head is text of fixed places (see `scripts.ts`), so that
 * one MGET reads many with their deadlines, and scripts decide by the head alone.
 * Throws a `TypeError` for a wrong option; connects with the first call.
 */
export function redisDriver(options: RedisOptions): Driver {
  checkOptions(options, rules)
  const { url, client: lent, prefix = 'sess:' } = options
  if ((url === undefined) === (lent === undefined))
    throw new TypeError("give one of the options 'url' and 'client' (an ioredis Redis or Cluster)")
  const owned = url === undefined ? undefined : connection(url)
  const client: RedisClient = lent ?? (owned!.client as RedisClient)
  const isCluster = client.isCluster === true

  /** Runs a script over rows: all in one on a single server, each by itself in a cluster. Returns the rows that it named. */
  async function script<T>(
    lua: Script,
    common: string[],
    rows: readonly T[],
    parts: (row: T) => [key: string, ...args: string[]],
  ): Promise<T[]> {
    const { length } = common
    const calls: Promise<T[]>[] = []
    let [batch, keys, args, size]: [T[], string[], string[], number] = [[], [], [...common], 0]
    const send = () => {
      const sent = batch
      calls.push(evaluate(client, lua, keys, args).then((named) => named.map((n) => sent[n - 1]!)))
      ;[batch, keys, args, size] = [[], [], args.slice(0, length), 0]
    }
    for (const row of rows) {
      const [key, ...own] = parts(row)
      batch.push(row)
      keys.push(key)
      for (const arg of own) {
        args.push(arg)
        size += arg.length
      }
      if (isCluster || size > SCRIPT_SIZE) send()
    }
    if (batch.length > 0) send()
    return (await Promise.all(calls)).flat()
  }

  /** Enters sessions into the index of their users: before the sessions, so that it always names them all. */
  async function index(rows: readonly Touch[], now: number): Promise<void> {
    const owners = rows.filter((row) => row.user !== null)
    if (owners.length === 0) return
    await script(INDEX, [`${now - MARGIN}`], owners, ({ key, user, expiresAt }) => {
      const until = (Math.floor(expiresAt / SPAN) + 1) * SPAN
      return [`${prefix}:${user}`, key, `${until}`, ttl(until, now)]
    })
  }

  const move = (touches: readonly Touch[], now: number, indexed: '0' | '1') =>
    script(TOUCH, [digits(now), indexed], touches, ({ key, user, expiresAt }) => {
      const span = user === null ? '' : digits(Math.floor(expiresAt / SPAN) * SPAN)
      return [prefix + key, digits(expiresAt), ttl(expiresAt, now), span]
    })

  /** One page of all keys that begin with the prefix, by the node and the cursor that the page before ended with. */
  async function scan(
    after: string | undefined,
    limit: number,
  ): Promise<{ node: RedisNode; names: string[]; next: string | undefined }> {
    const nodes = (client.nodes?.('master') ?? [client]).map((node) => ({ node, name: nodeName(node) }))
    nodes.sort((a, b) => (a.name < b.name ? -1 : 1))
    const [cursor = '0', name = nodes[0]!.name] = after?.split('@') ?? []
    const at = nodes.findIndex((entry) => entry.name >= name)
    if (at < 0) return { node: client, names: [], next: undefined }
    const { node } = nodes[at]!
    const match = `${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`
    const [next, names] = (await node.call('SCAN', cursor, 'MATCH', match, 'COUNT', limit)) as [
      string,
      string[],
    ]
    const following =
      next === '0' ? nodes[at + 1] && `0@${nodes[at + 1]!.name}` : `${next}@${nodes[at]!.name}`
    return { node, names: names.map((full) => full.slice(prefix.length)), next: following }
  }

  async function* pages(): AsyncGenerator<{ node: RedisNode; names: string[] }> {
    let after: string | undefined
    do {
      const page = await scan(after, PAGE)
      yield page
      after = page.next
    } while (after !== undefined)
  }

  const verbs: Omit<Driver, 'name' | 'close'> = {
    async setup() {
      await client.call('PING')
    },
    async read(keys) {
      const names = keys.map((key) => prefix + key)
      const values = isCluster
        ? await Promise.all(names.map((name) => client.call('GET', name)))
        : ((await client.call('MGET', ...names)) as unknown[])
      const rows: Row[] = []
      for (let i = 0; i < keys.length; i++) {
        const value = values[i]
        if (typeof value === 'string') rows.push(toRow(keys[i]!, value))
      }
      return rows
    },
    async write(writes, now) {
      const indexed = index(writes, now)
      // On a single server what is sent first is done first.
      if (isCluster) await indexed
      const written = script(WRITE, [digits(now)], writes, (write) => {
        const { key, tag, expiresAt } = write
        return [prefix + key, expected(write), tag, ttl(expiresAt, now), toValue(write)]
      })
      const [landed] = await Promise.all([written, indexed])
      return landed.map(({ key }) => key)
    },
    async touch(touches, now) {
      const crossing = await move(touches, now, '0')
      if (crossing.length === 0) return
      await index(crossing, now)
      await move(crossing, now, '1')
    },
    async list({ user, after, limit }) {
      if (user === undefined) {
        const { names, next } = await scan(after, limit)
        return { keys: [...new Set(names.filter(isSession))], next }
      }
      const reply = await client.call('ZSCAN', `${prefix}:${user}`, after ?? '0', 'COUNT', limit)
      const [next, entries] = reply as [string, string[]]
      const keys = new Set(entries.filter((_, i) => i % 2 === 0))
      return { keys: [...keys], next: next === '0' ? undefined : next }
    },
    async count(now) {
      const live = digits(now)
      let count = 0
      for await (const { node, names } of pages()) {
        const sessions = names.filter(isSession)
        const heads = await Promise.all(sessions.map((name) => node.call('GETRANGE', prefix + name, 0, 33)))
        for (const head of heads as string[])
          if (head[0] === '1' && head[33] === 's' && head.slice(1, 17) > live) count++
      }
      return count
    },
    // Sessions go by their TTL, and so do index entries, at the user's next save or altogether.
    prune: () => 0,
    async clear() {
      for await (const { node, names } of pages()) {
        const own = names.filter((name) => isSession(name) || isIndex(name)).map((name) => prefix + name)
        if (own.length === 0) continue
        if (isCluster) await Promise.all(own.map((name) => node.call('UNLINK', name)))
        else await node.call('UNLINK', ...own)
      }
    },
    async ping() {
      await client.call('PING')
    },
  }
  return { name: 'redis', ...guarded(verbs, owned), close: () => owned?.client.disconnect() }
}

/** express-session's store on Redis or Valkey: one server, Sentinel or Cluster. */
export class RedisStore extends SessionStore {
  /** Throws a `TypeError` for a wrong option. */
  constructor(options: RedisOptions & StoreOptions) {
    const [own, rest] = splitOptions<RedisOptions>(options, rules)
    super(redisDriver(own), rest)
  }
}

const digits = (time: number): string => String(time).padStart(16, '0')

const ttl = (expiresAt: number, now: number): string =>
  expiresAt > now ? String(expiresAt - now + MARGIN) : '0'

function expected({ data, expect }: Write): string {
  if (data === null) return '!'
  return expect === undefined ? '*' : expect && `=${expect}`
}

/** Keys of sessions have no ':', so stores with the prefixes `sess:` and `sess:app:` do not see each other's. */
const isSession = (name: string): boolean => !name.includes(':')
const isIndex = (name: string): boolean => name.startsWith(':')

function toValue({ data, tag, user, createdAt, expiresAt }: Write): string {
  const kind = data === null ? 't' : 's'
  return `1${digits(expiresAt)}${digits(createdAt)}${kind}${tag} ${user ?? ''} ${data ?? ''}`
}

function toRow(key: string, value: string): Row {
  const tagEnd = value.indexOf(' ', 34)
  const userEnd = value.indexOf(' ', tagEnd + 1)
  const expiresAt = Number(value.slice(1, 17))
  const createdAt = Number(value.slice(17, 33))
  // Somebody else's string: a row that core cannot read either, so that the others of the batch can be.
  if (value[0] !== '1' || userEnd < 0 || Number.isNaN(expiresAt + createdAt))
    return { key, data: '', tag: '?', user: null, createdAt: Date.now(), expiresAt: 8.64e15 }
  return {
    key,
    data: value[33] === 't' ? null : value.slice(userEnd + 1),
    tag: value.slice(34, tagEnd),
    user: userEnd === tagEnd + 1 ? null : value.slice(tagEnd + 1, userEnd),
    createdAt,
    expiresAt,
  }
}

const nodeName = ({ options }: RedisNode): string => `${options?.host ?? ''}:${options?.port ?? ''}`

async function evaluate(
  client: RedisClient,
  { sha, source }: Script,
  keys: string[],
  args: string[],
): Promise<number[]> {
  try {
    return (await client.call('EVALSHA', sha, keys.length, ...keys, ...args)) as number[]
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
    return (await client.call('EVAL', source, keys.length, ...keys, ...args)) as number[]
  }
}

/** The verbs with errors explained, and with the process held while one waits for its answer. */
function guarded<T extends object>(verbs: T, owned: Connection | undefined): T {
  const guard =
    (verb: (...args: unknown[]) => unknown) =>
    async (...args: unknown[]) => {
      owned?.hold()
      try {
        return await verb(...args)
      } catch (error) {
        throw explained(error)
      } finally {
        owned?.release()
      }
    }
  return Object.fromEntries(Object.entries(verbs).map(([name, verb]) => [name, guard(verb)])) as T
}

const reasons: readonly (readonly [pattern: RegExp, code: SessionStoreErrorCode, message: string])[] = [
  [
    /^(NOAUTH|WRONGPASS|NOPERM|ERR invalid password|ERR AUTH)/,
    'ACCESS_DENIED',
    'Redis wants other credentials or rights',
  ],
  [/^(READONLY|MISCONF)/, 'READ_ONLY', 'Redis takes no writes'],
  [/^OOM|OOM command not allowed/, 'STORAGE_FULL', 'Redis is out of memory (maxmemory)'],
  [/^(LOADING|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|BUSY|NOREPLICAS)/, 'UNAVAILABLE', 'Redis cannot answer now'],
]

function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  // ioredis attaches the command, with keys and payloads.
  delete (error as { command?: unknown }).command
  const reason = reasons.find(([pattern]) => pattern.test(error.message))
  if (reason) return new SessionStoreError(reason[1], reason[2], error)
  if (error.name === 'ReplyError') return error
  return new SessionStoreError('UNAVAILABLE', 'Redis cannot be reached', error)
}

function isRedisUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && /^rediss?:$/.test(new URL(value).protocol)
}
