import type { RedisClient } from './client.ts'
import { IoredisLink } from './ioredis-link.ts'
import type { LentLink } from './lent-link.ts'
import { isNodeRedis, type NodeRedis } from './node-redis.ts'
import { NodeRedisLink } from './node-redis-link.ts'

const links = new WeakMap<object, LentLink>()

/** Returns the link of a lent client: one per client, however many drivers share it. */
export function linkOf(client: RedisClient | NodeRedis): LentLink {
  let link = links.get(client)
  if (link === undefined) {
    link = isNodeRedis(client) ? new NodeRedisLink(client) : new IoredisLink(client)
    links.set(client, link)
  }
  return link
}
