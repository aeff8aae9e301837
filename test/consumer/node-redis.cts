// The clients of node-redis, whose own types need esModuleInterop.
import type { SessionStore } from '@session-stores/core'
import { RedisStore } from '@session-stores/redis'
import { createClient, createCluster, createSentinel } from 'redis'

export const makes: (() => SessionStore)[] = [
  () => new RedisStore({ client: createClient() }),
  () => new RedisStore({ client: createCluster({ rootNodes: [] }) }),
  () => new RedisStore({ client: createSentinel({ name: 'main', sentinelRootNodes: [] }) }),
]

export const mistakes: unknown[] = [
  // @ts-expect-error: a promise of a client
  () => new RedisStore({ client: createClient().connect() }),
]
