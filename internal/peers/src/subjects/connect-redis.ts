import type { Subject } from '@session-stores/conformance'
import { RedisStore } from 'connect-redis'
import type { SessionData } from 'express-session'
import { createClient } from 'redis'
import { redis, redisPlace } from '../places.ts'
import { readVersions } from '../versions.ts'

const subject: Subject = {
  name: 'connect-redis',
  versions: readVersions(['connect-redis', 'redis'], await redis()),
  accepts: ['ttl', 'prefixes', 'ttlOf', 'disableTouch'],
  async make({ ttl, prefixes, ttlOf, disableTouch }) {
    const place = await redisPlace()
    const open = () => createClient({ url: place.url, socket: { reconnectStrategy: 50 } })
    const clients: ReturnType<typeof open>[] = []
    const store = async (prefix = ''): Promise<RedisStore> => {
      const client = open()
      client.on('error', () => {})
      clients.push(client)
      await client.connect()
      // The types of connect-redis are those of an older client.
      return new RedisStore({
        client: client as never,
        prefix: `${place.name}:${prefix}`,
        ...(ttl !== undefined && { ttl: ttl / 1000 }),
        ...(ttlOf && { ttl: (session: SessionData) => ttlOf(session) / 1000 }),
        ...(disableTouch !== undefined && { disableTouch }),
      })
    }
    return {
      stores: [await store(prefixes?.[0]), await store(prefixes?.[1])],
      ...place.hooks,
      async corrupt(id) {
        await clients[0]!.set(`${place.name}:${id}`, '{"cookie":', { KEEPTTL: true })
      },
      async dispose() {
        for (const client of clients) client.destroy()
        await place.close()
      },
    }
  },
}

export default subject
