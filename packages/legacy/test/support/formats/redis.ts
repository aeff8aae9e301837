import { RedisStore } from '@session-stores/redis'
import { RedisStore as RedisStore10 } from 'connect-redis'
import RedisStore7 from 'connect-redis-7'
import type session from 'express-session'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { connectRedis } from '../../../src/index.ts'
import type { Format, Old, Place } from '../places.ts'

const redisPrefix = ({ namespace }: Place): string => `old-${namespace}:`

async function openIoredis(place: Place): Promise<Old> {
  const client = new Redis(place.url)
  const prefix = redisPrefix(place)
  return {
    store: new RedisStore7({ client, prefix }) as unknown as session.Store,
    reader: connectRedis({ client, prefix }),
    corrupt: (id, text) => client.set(prefix + id, text, 'KEEPTTL'),
    endOf: (id) => client.pexpiretime(prefix + id),
    close: async () => client.disconnect(),
  }
}

async function openNodeRedis(place: Place): Promise<Old> {
  const client = createClient({ url: place.url })
  client.on('error', () => {})
  await client.connect()
  const prefix = redisPrefix(place)
  return {
    store: new RedisStore10({ client, prefix }) as unknown as session.Store,
    reader: connectRedis({ client, prefix }),
    corrupt: (id, text) => client.set(prefix + id, text, { expiration: 'KEEPTTL' }),
    endOf: (id) => client.pExpireTime(prefix + id),
    close: async () => client.destroy(),
  }
}

const openNew: Format['openNew'] = ({ url, namespace }, options) =>
  new RedisStore({ url, prefix: `new-${namespace}:`, ...options })

export default {
  'connect-redis-7': { open: openIoredis, openNew },
  'connect-redis-10': { open: openNodeRedis, openNew },
} as Readonly<Record<string, Format>>
