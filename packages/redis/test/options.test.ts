import { SessionStore } from '@session-stores/core'
import { Cluster, Redis } from 'ioredis'
import * as nodeRedis from 'redis'
import { describe, expect, it } from 'vitest'
import { RedisStore, redisDriver } from '../src/index.ts'

describe('options', () => {
  const url = 'redis://127.0.0.1:1'

  it('a wrong option is named in the error, with what it takes', () => {
    // @ts-expect-error
    expect(() => new RedisStore({ clinet: new Redis({ lazyConnect: true }) })).toThrow(
      /unknown option 'clinet'.* url, tls, client, prefix/,
    )
    // @ts-expect-error
    expect(() => new RedisStore({ url: 7 })).toThrow("option 'url' takes a URL")
    // @ts-expect-error
    expect(() => new RedisStore({ client: {} })).toThrow("option 'client' takes an ioredis Redis or Cluster")
    // @ts-expect-error
    expect(() => new RedisStore({ client: { call: async () => null } })).toThrow(
      "option 'client' takes an ioredis Redis or Cluster",
    )
    // @ts-expect-error
    expect(() => new RedisStore({ url, tls: true })).toThrow("option 'tls' takes what")
    expect(() => new RedisStore({ url, idleTimeout: -1 })).toThrow("option 'idleTimeout' takes")
  })

  it('the error says what to write in place of a wrong client', () => {
    const { createClient, createClientPool, createCluster, createSentinel } = nodeRedis
    const wrong = [
      createClient(),
      createClientPool(),
      createCluster({ rootNodes: [{ url }] }),
      createSentinel({ name: 'main', sentinelRootNodes: [{ host: 'localhost', port: 1 }] }),
      Promise.resolve(new Redis({ lazyConnect: true })),
      Redis,
      url,
    ]
    for (const client of wrong as never[])
      expect(() => new RedisStore({ client })).toThrow(
        /^option 'client' takes an ioredis Redis or Cluster: write new Redis\(url\) with 'ioredis', not createClient/,
      )
  })

  it('exactly one of url and client must be given, and tls only with url', () => {
    const client = new Redis({ lazyConnect: true })
    const message =
      "give exactly one of the options 'url' (a URL, perhaps with 'tls') and 'client' (an ioredis Redis or Cluster)"
    // @ts-expect-error
    expect(() => redisDriver({ url, client })).toThrow(new TypeError(message))
    // @ts-expect-error
    expect(() => redisDriver({})).toThrow(new TypeError(message))
    // @ts-expect-error
    expect(() => redisDriver({ client, tls: {} })).toThrow(
      new TypeError("the option 'tls' goes with 'url'; a 'client' gets its tls from new Redis(…)"),
    )
    // @ts-expect-error
    expect(() => redisDriver()).toThrow(TypeError)
    expect(new RedisStore({ client, pruneInterval: false })).toBeInstanceOf(SessionStore)
    const cluster = new Cluster([{ port: 1 }], { lazyConnect: true })
    expect(new RedisStore({ client: cluster, pruneInterval: false })).toBeInstanceOf(SessionStore)
  })

  it.each([
    'http://localhost',
    'redis+sock:///tmp/redis.sock',
    '/tmp/redis.sock?db=sessions',
    'localhost:6379/1',
    'redis:localhost',
    'REDISS://localhost',
    'redis://:pass%word@localhost',
    'redis://localhost/sessions',
    'redis://localhost:99999',
    '',
  ])('%j is refused as a URL, and not shown in the error', (wrong) => {
    expect(() => redisDriver({ url: wrong })).toThrow(
      /^option 'url' takes a URL such as 'redis:\/\/localhost:6379\/0' \(rediss: for TLS\), or the path of a socket$/,
    )
  })

  it.each(['', 'sess', 'sess::', 'sess:\n', '::'])('%j is refused as a prefix', (prefix) => {
    expect(() => redisDriver({ url, prefix })).toThrow("option 'prefix' takes a text that ends with one ':'")
  })
})
