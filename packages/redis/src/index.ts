import type { ConnectionOptions } from 'node:tls'
import {
  checkOptions,
  type Driver,
  exactlyOne,
  type OptionRule,
  type Page,
  type Row,
  SessionStore,
  type StoreOptions,
  splitOptions,
} from '@session-stores/core'
import { isRedisClient, isRedisUrl, type RedisClient } from './client.ts'
import { guardVerbs } from './guard.ts'
import { HINTS } from './hints.ts'
import { linkOf } from './links.ts'
import { readEach } from './masters.ts'
import { isHash, isIndex, isPlain, isSession } from './names.ts'
import { isNodeRedis, type NodeRedis } from './node-redis.ts'
import { OwnLink } from './own-link.ts'
import { toForeignRow, toRow } from './row.ts'
import { scan, scanAll, scanMembers } from './scan.ts'
import { Scripts } from './scripts.ts'
import { COUNT, OURS, OWNED, REMOVE, REMOVE_OURS } from './statements.ts'
import { Touches } from './touches.ts'
import { UserIndexes } from './user-indexes.ts'
import { Writes } from './writes.ts'

export type { RedisClient, RedisNode } from './client.ts'
export type {
  NodeRedis,
  NodeRedisBase,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisMaster,
  NodeRedisNode,
  NodeRedisSentinel,
} from './node-redis.ts'

/** Options of the Redis driver: exactly one of `url` and `client`, and perhaps `prefix`. */
export type RedisOptions = (
  | {
      /**
       * `redis://[[user]:password@]host[:port][/database]`, `rediss://` for TLS, or the path of a
       * socket with `?db=…`, as ioredis takes them. `close()` ends the connection.
       */
      url: string
      /** The options of `tls.connect` in Node, such as `ca`, `cert` and `key`. */
      tls?: ConnectionOptions
      client?: undefined
    }
  | {
      /**
       * An ioredis `Redis` or `Cluster`, or a connected client of node-redis 5 or 6 from
       * `createClient`, `createCluster` or `createSentinel`. `close()` leaves it open.
       */
      client: RedisClient | NodeRedis
      url?: undefined
      tls?: undefined
    }
) & {
  /**
   * The begin of all keys, which ends with one `:`. Stores with different prefixes share a
   * database.
   *
   * @default 'sess:'
   */
  prefix?: string
}

const rules: Record<'url' | 'tls' | 'client' | 'prefix', OptionRule> = {
  url: [
    "a URL such as 'redis://localhost:6379/0' (rediss: for TLS), or the path of a socket; write a password in it as " +
      'encodeURIComponent(password) returns it',
    isRedisUrl,
  ],
  tls: ["what Node's tls.connect takes, such as { ca }", (value) => typeof value === 'object'],
  client: [
    "a client: new Redis(url) or new Cluster(…) of 'ioredis', or what createClient, createCluster or createSentinel of " +
      "'redis' 5 or 6 return, but no createClientPool and no legacy(); await a promise of one; a URL is the option 'url'",
    (value) => isRedisClient(value) || isNodeRedis(value),
  ],
  prefix: [
    "a text that ends with one ':', such as 'sess:'",
    (value) => typeof value === 'string' && /^(.*[^:])?:$/s.test(value),
  ],
}

/** The begin of `next` on the pages of a search for a user's sessions among all. */
const SEARCH = 's'

/**
 * Makes a driver that keeps sessions in Redis or Valkey, each as one string. For a `SessionStore`
 * of your own making; `RedisStore` does it for you. It connects with the first call.
 *
 * It is one function because its methods share one closure; each of them is short.
 *
 * @throws TypeError for a wrong option.
 */
export function redisDriver(options: RedisOptions): Driver {
  checkOptions(options, rules, { hints: HINTS })
  exactlyOne(options, { url: "a URL, perhaps with 'tls'", client: "one of 'ioredis' or 'redis'" })
  const { url, tls, client: lent } = options
  if (lent && tls)
    throw new TypeError("the option 'tls' goes with 'url'; a 'client' gets its tls where it is made")
  const link = lent ? linkOf(lent) : new OwnLink(url!, tls)
  const prefix = link.keyPrefix + (options.prefix ?? 'sess:')
  const { client } = link
  const scripts = new Scripts(link, prefix)
  const indexes = new UserIndexes(scripts, prefix)
  const writes = new Writes(scripts, prefix, indexes)
  const touches = new Touches(scripts, prefix, indexes, read)
  const keyOf = (name: string): [key: string] => [prefix + name]

  async function read(keys: readonly string[]): Promise<Row[]> {
    const names = keys.map((key) => prefix + key)
    // MGET even for one key, because GET fails on a foreign key that holds a hash or a list.
    const values = scripts.masters
      ? await readEach(link, scripts.masters, names)
      : ((await client.call('MGET', ...names)) as unknown[])
    const rows: Row[] = []
    if (!Array.isArray(values) || values.length !== keys.length) return link.refuseAnswer(scripts.timeLimit)
    let fits = true
    for (let i = 0; i < keys.length; i++) {
      const value = values[i]
      if (value === null) continue
      const key = keys[i]!
      const row = typeof value === 'string' ? toRow(key, value) : undefined
      fits &&= row !== undefined
      rows.push(row ?? toForeignRow(key, value))
    }
    // A value that does not fit is foreign, or is the answer to another command.
    if (!fits) await link.checkStep(scripts.timeLimit)
    return rows
  }

  /** Searches a page of all sessions for those of a user, whose index may have been evicted. */
  async function search(user: string, after: string | undefined, limit: number): Promise<Page> {
    const { keys, next } = await scan(client, prefix, after, limit)
    const times = scripts.timesOf(0)
    const own = await scripts.run(OWNED, times, keys.filter(isSession), (key) => [prefix + key, user])
    return { keys: own, next: next && SEARCH + next }
  }

  const verbs: Omit<Driver, 'name' | 'place' | 'setup' | 'close'> = {
    read,
    write: (rows, now) => writes.write(rows, now),
    touch: (moves, now) => touches.touch(moves, now),
    async list({ user, after, limit }) {
      // A walk goes on as it began.
      const isSearch = after === undefined ? link.evicts : after.startsWith(SEARCH)
      if (user !== undefined && isSearch) return search(user, after?.slice(SEARCH.length), limit)
      if (user !== undefined) return scanMembers(client, indexes.keyOf(user), after, limit)
      const { keys, next } = await scan(client, prefix, after, limit)
      const own = await scripts.run(OURS, scripts.timesOf(0), keys.filter(isPlain), keyOf)
      return { keys: [...keys.filter(isHash), ...own], next }
    },
    async count(now) {
      let count = 0
      for await (const names of scanAll(client, prefix)) {
        const live = await scripts.run(COUNT, scripts.timesOf(now), names.filter(isSession), keyOf)
        count += live.length
      }
      return count
    },
    // Redis removes sessions by their TTL. Index entries go at the user's next save, or by the TTL.
    async prune() {
      return 0
    },
    async clear(signal) {
      // Each step has a time limit of its own, which begins with its walk, so that a store of any
      // size can be cleared.
      let times = scripts.timesOf(0)
      for await (const names of scanAll(client, prefix)) {
        if (signal?.aborted) return
        const own = names.filter((name) => isHash(name) || isIndex(name))
        await Promise.all([
          scripts.run(REMOVE, times, own, keyOf),
          scripts.run(REMOVE_OURS, times, names.filter(isPlain), keyOf),
        ])
        times = scripts.timesOf(0)
      }
    },
    ping: () => link.readClock(),
  }
  const guarded = guardVerbs(verbs, scripts)
  return {
    name: 'redis',
    place: (client.options?.keyPrefix ?? '') + prefix,
    async setup(timeLimit = 5000) {
      scripts.timeLimit = timeLimit
      link.limit(timeLimit)
      await guarded.ping()
    },
    ...guarded,
    close: () => link.close(),
  }
}

/**
 * A store for express-session on Redis or Valkey: one server, Sentinel or Cluster.
 *
 * @example
 * const store = new RedisStore({ url: 'redis://localhost:6379' })
 * app.use(session({ store, secret, resave: false, saveUninitialized: false }))
 */
export class RedisStore extends SessionStore {
  /**
   * Takes the options of the driver and of every store in one object. It connects with the first
   * call.
   *
   * @throws TypeError for a wrong option.
   */
  constructor(options: RedisOptions & StoreOptions) {
    const [own, rest] = splitOptions<RedisOptions>(options, rules, HINTS)
    super(redisDriver(own), rest)
  }
}
