import { SessionStore } from '@session-stores/core'
import { Cluster, Redis } from 'ioredis'
import * as redis6 from 'redis'
import * as redis5 from 'redis-5'
import { describe, expect, it } from 'vitest'
import { type RedisOptions, RedisStore, redisDriver } from '../src/index.ts'

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
    expect(() => new RedisStore({ client: {} })).toThrow("option 'client' takes a client: new Redis(url)")
    // @ts-expect-error
    expect(() => new RedisStore({ client: { call: async () => null } })).toThrow(
      "option 'client' takes a client: new Redis(url)",
    )
    // @ts-expect-error
    expect(() => new RedisStore({ url, tls: true })).toThrow("option 'tls' takes what")
    expect(() => new RedisStore({ url, idleTimeout: -1 })).toThrow("option 'idleTimeout' takes")
  })

  it('the error says what to write in place of a wrong client', () => {
    const pools = [redis5.createClientPool(), redis6.createClientPool()]
    const legacy = [redis5.createClient().legacy(), redis6.createClient().legacy()]
    // Clients of version 4 have no such method.
    const older = Object.assign(redis5.createClient(), { withTypeMapping: undefined })
    const promise = Promise.resolve(new Redis({ lazyConnect: true }))
    const wrong = [...pools, ...legacy, older, promise, Redis, redis6.createClient, url]
    for (const client of wrong as never[])
      expect(() => new RedisStore({ client })).toThrow(
        "option 'client' takes a client: new Redis(url) or new Cluster(…) of 'ioredis', or what createClient, " +
          "createCluster or createSentinel of 'redis' 5 or 6 return, but no createClientPool and no legacy(); await a " +
          "promise of one; a URL is the option 'url'",
      )
  })

  it('clients, clusters and sentinel clients of redis 5 and 6 are taken, whatever their types', () => {
    const sentinel = { name: 'main', sentinelRootNodes: [{ host: 'localhost', port: 1 }] }
    const options: RedisOptions[] = [
      { client: redis5.createClient() },
      { client: redis6.createClient({ RESP: 2, commandOptions: { asap: true } }) },
      { client: redis6.createClient().withTypeMapping({ [redis6.RESP_TYPES.BLOB_STRING]: Buffer }) },
      { client: redis5.createClient({ RESP: 3 }).duplicate() },
      { client: redis5.createCluster({ rootNodes: [{ url }] }) },
      { client: redis6.createCluster({ rootNodes: [{ url }] }) },
      { client: redis5.createSentinel(sentinel) },
      { client: redis6.createSentinel(sentinel) },
    ]
    for (const each of options) expect(redisDriver(each).place).toBe('sess:')
  })

  it.each([
    redis5.createClient(),
    redis6.createClient(),
    redis6.createCluster({ rootNodes: [{ url }] }),
    redis6.createSentinel({ name: 'main', sentinelRootNodes: [{ host: 'localhost', port: 1 }] }),
  ])('a client that nobody has connected fails calls with what to write', async (client) => {
    const store = new RedisStore({ client: client as never, pruneInterval: false })
    await expect(store.get('the-id')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message:
        "the lent client of 'redis' is not connected: write await client.connect() before the first request",
    })
    await store.close()
  })

  it('exactly one of url and client must be given, and tls only with url', () => {
    const client = new Redis({ lazyConnect: true })
    const message =
      "give exactly one of the options 'url' (a URL, perhaps with 'tls') and 'client' (one of 'ioredis' or 'redis')"
    // @ts-expect-error
    expect(() => redisDriver({ url, client })).toThrow(new TypeError(message))
    // @ts-expect-error
    expect(() => redisDriver({})).toThrow(new TypeError(message))
    // @ts-expect-error
    expect(() => redisDriver({ client, tls: {} })).toThrow(
      new TypeError("the option 'tls' goes with 'url'; a 'client' gets its tls where it is made"),
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
      /^option 'url' takes a URL such as 'redis:\/\/localhost:6379\/0' \(rediss: for TLS\), or the path of a socket; write a password in it as encodeURIComponent\(password\) returns it$/,
    )
  })

  it.each(['', 'sess', 'sess::', 'sess:\n', '::'])('%j is refused as a prefix', (prefix) => {
    expect(() => redisDriver({ url, prefix })).toThrow("option 'prefix' takes a text that ends with one ':'")
  })
})
