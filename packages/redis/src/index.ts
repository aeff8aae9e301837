import type { ConnectionOptions } from 'node:tls'
import {
  checkOptions,
  type Driver,
  type OptionRule,
  type Row,
  SessionStore,
  type StoreOptions,
  splitOptions,
  type Touch,
  type Write,
} from '@session-stores/core'
import { callEach, type RedisClient, runScript } from './client.ts'
import { Connection } from './connection.ts'
import { explained } from './errors.ts'
import { digits, toRow, toValue } from './row.ts'
import { scan, scanAll, scanMembers } from './scan.ts'
import { COUNT, INDEX, MARGIN, SPAN, STEP, TOUCH, WRITE } from './scripts.ts'

export type { RedisClient, RedisNode } from './client.ts'

/** Either `url` or `client`. */
export type RedisOptions = (
  | {
      /** `redis://[[user]:password@]host[:port][/database]`, or `rediss://` for TLS. `close()` ends the connection. */
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
  url: ["a URL such as 'redis://localhost:6379/0' (rediss: for TLS)", isRedisUrl],
  tls: ["what Node's tls.connect takes, such as { ca }", (value) => typeof value === 'object'],
  client: [
    'an ioredis Redis or Cluster',
    (value) => typeof (value as RedisClient | null)?.call === 'function',
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
  const owned = url === undefined ? undefined : new Connection(url, tls)
  const client: RedisClient = lent ?? owned!.client
  const isCluster = client.isCluster === true

  /** Enters sessions into the index of their users: before the sessions, so that it always names them all. */
  function index(rows: readonly Touch[], now: number): Promise<unknown> | undefined {
    const owners = rows.filter((row) => row.user !== null)
    if (owners.length === 0) return undefined
    return runScript(client, INDEX, [`${now - MARGIN}`], owners, ({ key, user, expiresAt }) => {
      const until = (Math.floor(expiresAt / SPAN) + 1) * SPAN
      return [`${prefix}:${user}`, key, `${until}`, ttl(until, now)]
    })
  }

  /** Returns those whose index must cover them first; `indexed`: it does, if they are still that user's. */
  const move = (touches: readonly Touch[], now: number, indexed: boolean) => {
    // Touches that come together share their deadline.
    let [shared, times, life] = [Number.NaN, '', '']
    return runScript(client, TOUCH, [digits(now)], touches, ({ key, user, expiresAt }) => {
      if (expiresAt !== shared) {
        shared = expiresAt
        times =
          digits(expiresAt) +
          digits(endOfKey(expiresAt) - MARGIN - STEP + 1) +
          digits(Math.floor(expiresAt / SPAN) * SPAN)
        life = ttl(expiresAt, now)
      }
      return [prefix + key, indexed && user !== null ? times + user : times, life]
    })
  }

  const verbs: Omit<Driver, 'name' | 'close'> = {
    async setup() {
      // ioredis goes on with database 0 where it cannot select the one it was given.
      const database = owned?.client.options.db
      await (database ? client.call('SELECT', database) : client.call('PING'))
    },
    async read(keys) {
      const names = keys.map((key) => prefix + key)
      // MGET even of one: GET fails where somebody else keeps a hash or a list.
      const values = isCluster
        ? (await callEach(client, 'MGET', names)).flat()
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
      // A single server does first what is sent first.
      if (isCluster) await indexed
      const written = runScript(client, WRITE, [digits(now)], writes, (write) => {
        return [prefix + write.key, expected(write), ttl(write.expiresAt, now), toValue(write)]
      })
      const [landed] = indexed ? await Promise.all([written, indexed]) : [await written]
      return landed.map(({ key }) => key)
    },
    async touch(touches, now) {
      const crossing = await move(touches, now, false)
      if (crossing.length === 0) return
      // The row says whose it is: who touches it may know less, or what was so before somebody's save.
      const rows = await verbs.read(crossing.map(({ key }) => key))
      const users = new Map(rows.map(({ key, user }) => [key, user]))
      const owned = crossing.map((touch) => ({ ...touch, user: users.get(touch.key) ?? null }))
      await index(owned, now)
      // What is another user's by now was saved meanwhile, with a deadline of its own.
      await move(owned, now, true)
    },
    async list({ user, after, limit }) {
      if (user !== undefined) return scanMembers(client, `${prefix}:${user}`, after, limit)
      const { keys, next } = await scan(client, prefix, after, limit)
      return { keys: keys.filter(isSession), next }
    },
    async count(now) {
      let count = 0
      for await (const names of scanAll(client, prefix)) {
        const sessions = names.filter(isSession)
        count += (await runScript(client, COUNT, [digits(now)], sessions, (name) => [prefix + name])).length
      }
      return count
    },
    // Sessions go by their TTL, and so do index entries, at the user's next save or altogether.
    async prune() {
      return 0
    },
    async clear() {
      for await (const names of scanAll(client, prefix)) {
        const own = names.filter((name) => isSession(name) || isIndex(name)).map((name) => prefix + name)
        if (isCluster) await callEach(client, 'UNLINK', own)
        else if (own.length > 0) await client.call('UNLINK', ...own)
      }
    },
    async ping() {
      await client.call('PING')
    },
  }
  return { name: 'redis', ...guarded(verbs, owned), close: () => owned?.close() }
}

/** express-session's store on Redis or Valkey: one server, Sentinel or Cluster. */
export class RedisStore extends SessionStore {
  /** Throws a `TypeError` for a wrong option. */
  constructor(options: RedisOptions & StoreOptions) {
    const [own, rest] = splitOptions<RedisOptions>(options, rules)
    super(redisDriver(own), rest)
  }
}

/** When a key with this deadline goes, in epoch milliseconds. */
const endOfKey = (expiresAt: number): number => Math.ceil((expiresAt + MARGIN) / STEP) * STEP

const ttl = (expiresAt: number, now: number): string =>
  expiresAt > now ? String(endOfKey(expiresAt) - now) : '0'

function expected({ data, expect }: Write): string {
  if (data === null) return '!'
  return expect === undefined ? '*' : expect && `=${expect}`
}

/** Keys of sessions have no ':', so stores with the prefixes `sess:` and `sess:app:` do not see each other's. */
const isSession = (name: string): boolean => !name.includes(':')
const isIndex = (name: string): boolean => name.lastIndexOf(':') === 0

/** The verbs with errors explained, and with the process held while one waits for its answer. */
function guarded<T extends object>(verbs: T, owned: Connection | undefined): T {
  const guard = (verb: (...args: unknown[]) => Promise<unknown>) => {
    const answered = (value: unknown): unknown => {
      owned?.release()
      return value
    }
    const failed = (error: unknown): never => {
      owned?.release()
      throw explained(error, owned?.failure)
    }
    return (...args: unknown[]) => {
      try {
        owned?.hold()
      } catch (error) {
        throw explained(error, owned?.failure)
      }
      return verb(...args).then(answered, failed)
    }
  }
  return Object.fromEntries(Object.entries(verbs).map(([name, verb]) => [name, guard(verb)])) as T
}

function isRedisUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !/^rediss?:\/\//.test(value) || !URL.canParse(value)) return false
  const { username, password, pathname } = new URL(value)
  try {
    decodeURIComponent(username + password)
  } catch {
    return false
  }
  return /^\/?\d*$/.test(pathname)
}
