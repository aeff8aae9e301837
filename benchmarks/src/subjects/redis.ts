import { Floor, NEAR, SEAL, type Subjects, user } from './subject.ts'

const nodesOf = (urls: readonly string[]): { host: string; port: number }[] =>
  urls.map((url) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) }))

export const redisSubjects: Subjects = {
  async 'ours-redis'({ urls }) {
    const { RedisStore } = await import('@session-stores/redis')
    const store = new RedisStore({ url: urls[0]! })
    return { store, prune: () => store.prune() }
  },
  async 'ours-redis-near'({ urls }) {
    const { RedisStore } = await import('@session-stores/redis')
    return { store: new RedisStore({ url: urls[0]!, ...NEAR }) }
  },
  async 'ours-redis-user'({ urls }) {
    const { RedisStore } = await import('@session-stores/redis')
    return { store: new RedisStore({ url: urls[0]!, user }) }
  },
  async 'ours-redis-sealed'({ urls }) {
    const { RedisStore } = await import('@session-stores/redis')
    return { store: new RedisStore({ url: urls[0]!, seal: SEAL }) }
  },
  async 'ours-redis-node-redis'({ urls }) {
    const { RedisStore } = await import('@session-stores/redis')
    const { createClient } = await import('redis')
    const client = createClient({ url: urls[0]! })
    await client.connect()
    return { store: new RedisStore({ client }) }
  },
  async 'ours-redis-cluster'({ urls }) {
    const { RedisStore } = await import('@session-stores/redis')
    const { Cluster } = await import('ioredis')
    return { store: new RedisStore({ client: new Cluster(nodesOf(urls)) }) }
  },
  async 'connect-redis'({ urls }) {
    const { RedisStore } = await import('connect-redis')
    const { createClient } = await import('redis')
    const client = createClient({ url: urls[0]! })
    await client.connect()
    return { store: new RedisStore({ client }) }
  },
  async 'connect-redis-ioredis'({ urls }) {
    const { RedisStore } = await import('connect-redis')
    const { Redis } = await import('ioredis')
    return { store: new RedisStore({ client: new Redis(urls[0]!) }) }
  },
  async 'connect-redis-cluster'({ urls }) {
    const { RedisStore } = await import('connect-redis')
    const { createCluster } = await import('redis')
    const client = createCluster({ rootNodes: urls.map((url) => ({ url })) })
    await client.connect()
    return { store: new RedisStore({ client }) }
  },
  async 'floor-redis'({ urls }) {
    const { Redis } = await import('ioredis')
    const client = new Redis(urls[0]!)
    return {
      store: new Floor({
        read: (id) => client.get(id),
        write: (id, text, deadline) => client.set(id, text, 'PXAT', deadline),
        touch: (id, deadline) => client.pexpire(id, deadline - Date.now()),
        remove: (id) => client.del(id),
      }),
    }
  },
}
