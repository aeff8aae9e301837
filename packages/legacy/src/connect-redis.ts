import {
  type Awaitable,
  checkOptions,
  type LegacyReader,
  type LegacyRow,
  type LegacySession,
  meant,
  type OptionHints,
  type OptionRule,
} from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type AnyRedisClient, commandsOf, isRedisClient, type RedisCommands } from './redis-client.ts'
import { makeReader, ONLY_READ, parseWith, toRow, toSession } from './rows.ts'

const NAME = 'connect-redis'

/** The options of `connectRedis`, named as in connect-redis. */
export interface ConnectRedisOptions {
  /** The client that connect-redis had: of ioredis or of node-redis, of one server or a cluster. */
  client: AnyRedisClient
  /**
   * The begin of the keys.
   *
   * @default 'sess:'
   */
  prefix?: string
  /**
   * The serializer that connect-redis had.
   *
   * @default JSON
   */
  serializer?: {
    /** Turns the stored text into a session. */
    parse(text: string): Awaitable<SessionData>
  }
}

const rules: Record<keyof ConnectRedisOptions, OptionRule> = {
  client: [
    "the client that connect-redis had: new Redis(…) of 'ioredis', or createClient(…) of 'redis'",
    isRedisClient,
  ],
  prefix: ["the begin of the keys, such as 'sess:'", (value) => typeof value === 'string'],
  serializer: [
    '{ parse(text) }',
    (value) => typeof (value as { parse?: unknown } | null)?.parse === 'function',
  ],
}

/** Options of connect-redis that decide how it writes. */
const HINTS: OptionHints = {
  ttl: ONLY_READ,
  scanCount: ONLY_READ,
  disableTTL: ONLY_READ,
  disableTouch: ONLY_READ,
  url: meant('client', 'the one that connect-redis had'),
}

/** No key, and a key without an end, as PTTL answers. */
const [NO_KEY, NO_END] = [-2, -1]

/**
 * Reads the sessions of connect-redis 7 to 10.
 *
 * @throws TypeError for a wrong option.
 * @example
 * new RedisStore({ client, prefix: 'app:', legacy: { from: connectRedis({ client }), until } })
 */
export function connectRedis(options: ConnectRedisOptions): LegacyReader {
  checkOptions(options, rules, { required: ['client'], hints: HINTS })
  const { client, prefix = 'sess:', serializer = JSON } = options
  const redis = commandsOf(client)
  const place = redis.keyPrefix + prefix

  async function decode(text: string, ttl: number, now: number): Promise<LegacySession> {
    const session = toSession(NAME, await parseWith(NAME, (value) => serializer.parse(value), text))
    return { session, expiresAt: ttl === NO_END ? undefined : now + ttl }
  }

  async function readRow(id: string, now: number): Promise<LegacySession | null> {
    // Both commands leave together. A key that ends in between counts as missing.
    const [text, ttl] = await Promise.all([redis.get(prefix + id), redis.pttl(prefix + id)])
    return text === null || ttl === NO_KEY ? null : decode(text, ttl, now)
  }

  async function scanRow(redisOfKey: RedisCommands, id: string, now: number): Promise<LegacyRow | undefined> {
    const key = prefix + id
    const [text, ttl] = await Promise.all([redisOfKey.get(key).catch(toWrongType), redisOfKey.pttl(key)])
    if (text === null || ttl === NO_KEY) return undefined
    const row = await toRow(id, () => decode(text, ttl, now))
    // Without a prefix the keys of everything else are in between.
    return prefix === '' && row.error ? undefined : row
  }

  return makeReader({
    name: NAME,
    hint: `look at 'prefix' and 'serializer', and whether it is connect-redis that wrote the keys under '${place}'`,
    refuse({ name, place: own }) {
      if (name !== 'redis' || place === '' || !(own.startsWith(place) || place.startsWith(own)))
        return undefined
      return (
        `connect-redis keeps its sessions under the prefix '${place}', and this store its own under '${own}'; ` +
        "give the store another prefix, such as prefix: 'app-sessions:', so that no key of one is a key of the other"
      )
    },
    async read(id, now) {
      try {
        return await readRow(id, now)
      } catch (error) {
        if (prefix === '' && (error as { code?: string }).code === 'CORRUPT') return null
        throw error
      }
    },
    async delete(id) {
      await redis.del(prefix + id)
    },
    async scan({ after, limit, now }) {
      const { keys, next } = await redis.scan(prefix, after, limit)
      const ids = [...new Set(keys)].map((key) => key.slice(prefix.length))
      const rows = await Promise.all(ids.map((id) => scanRow(redis, id, now)))
      return { rows: rows.filter((row) => row !== undefined), next }
    },
    async count() {
      let count = 0
      let after: string | undefined
      do {
        const { keys, next } = await redis.scan(prefix, after, 1000)
        count += keys.length
        after = next
      } while (after !== undefined)
      return count
    },
  })
}

/** A key of another type is no session, and its neighbours are read all the same. */
function toWrongType(error: unknown): string {
  if (/WRONGTYPE/.test((error as Error | undefined)?.message ?? '')) return ''
  throw error
}
