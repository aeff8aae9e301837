import { redisProcess } from '@session-stores/testbed'
import { after } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { connectRedis, migrate } from '../../../src/index.ts'
import { openSite, type Suite } from '../describe.ts'
import { later, makeSession, openNew, saveOld } from '../places.ts'

const HOUR = 3_600_000

/** Opens a client that is closed after the test. */
function openClient(url: string, keyPrefix?: string): Redis {
  const client = new Redis(url, { keyPrefix })
  after(() => client.disconnect())
  return client
}

export const redisSuite: Suite = (makeSite, format) => {
  if (format !== 'connect-redis-7') return

  it('loses nothing where the new store is full in the middle', async () => {
    const server = await redisProcess({ args: ['--maxmemory-policy', 'noeviction'] })
    after(() => server.stop())
    const { old, open } = await openSite(format, server.url)
    const ids = Array.from({ length: 600 }, (_, i) => `id-${i}`)
    const large = { user: 'ann', more: 'x'.repeat(4000) }
    await Promise.all(ids.map((id) => saveOld(old, id, makeSession(HOUR, large))))
    const store = await open({ legacy: { from: old.reader, until: later(), keep: true } })
    await store.ping()
    const client = openClient(server.url)
    const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))![1])
    await client.config('SET', 'maxmemory', used + 700_000)
    await expect(migrate(store, old.reader, { keep: true })).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    const moved = await store.length()
    expect(moved).toBeGreaterThan(0)
    expect(moved).toBeLessThan(ids.length)
    expect(await old.reader.count()).toBe(ids.length)
    const { rows } = await old.reader.scan({ limit: 10_000, now: Date.now() })
    const missing = await findMissing(
      rows.map(({ id }) => id),
      (id) => store.peek(store.handle(id)),
    )
    // Redis has freed buffers meanwhile, so one more session may fit.
    await client.config('SET', 'maxmemory', 100_000)
    await expect(store.get(missing)).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    await client.config('SET', 'maxmemory', 0)
    expect(await store.get(missing)).toMatchObject(large)
    const report = await migrate(store, old.reader)
    expect(report).toMatchObject({ moved: ids.length - moved - 1, present: moved + 1 })
    expect((await store.list({ user: 'ann' })).sessions).toHaveLength(ids.length)
  })

  it('leaves keys alone that are none of connect-redis, and follows the prefix of the client', async () => {
    const { place, open } = await makeSite()
    const base = `app-${place.namespace}:`
    const client = openClient(place.url, base)
    const plain = openClient(place.url)
    const text = JSON.stringify(makeSession(HOUR, { user: 'ann' }))
    await plain.set(`${base}s*ss:one`, text, 'EX', 3600)
    await plain.set(`${base}sxss:two`, text, 'EX', 3600)
    await plain.hset(`${base}s*ss:hash`, { a: 1 })
    const from = connectRedis({ client, prefix: 's*ss:' })
    const store = await open({ legacy: { from, until: later(), keep: true } })
    expect(await migrate(store, from, { keep: true })).toMatchObject({ moved: 1, unreadable: 1 })
    expect(await store.get('one')).toMatchObject({ user: 'ann' })
    expect(await store.get('hash')).toBeNull()
    await store.clear()
    expect(await plain.exists(`${base}s*ss:one`)).toBe(0)
    expect(await plain.exists(`${base}s*ss:hash`, `${base}sxss:two`)).toBe(2)
  })

  it('with an empty prefix, takes only sessions among all keys', async () => {
    const server = await redisProcess()
    after(() => server.stop())
    const client = openClient(server.url)
    await client.set('one', JSON.stringify(makeSession(HOUR, { user: 'ann' })))
    await client.set('counter', '1')
    await client.lpush('queue', 'job')
    const from = connectRedis({ client, prefix: '' })
    const place = { format, url: server.url, namespace: 'app' }
    const store = await openNew(place, { idleTimeout: 1000, legacy: { from, until: later() } })
    after(() => store.close())
    expect(await store.get('counter')).toBeNull()
    expect(await store.get('queue')).toBeNull()
    const before = Date.now()
    expect(await migrate(store, from)).toEqual({ moved: 1, present: 0, ended: 0, expired: 0, unreadable: 0 })
    // The key had no end.
    expect((await store.list()).sessions[0]!.expiresAt - before).toBeLessThan(HOUR)
    // A key of the new store is no id.
    expect(await store.get(`new-app:${store.handle('one')}`)).toBeNull()
    expect(await client.exists('counter', 'queue')).toBe(2)
  })

  it('refuses a prefix that one of both begins with', async () => {
    const { place } = await makeSite()
    const client = openClient(place.url)
    const prefixes = [`new-${place.namespace}:`, `new-${place.namespace}`, `new-${place.namespace}:more:`]
    for (const prefix of prefixes) {
      const legacy = { from: connectRedis({ client, prefix }), until: later() }
      await expect(openNew(place, { legacy })).rejects.toThrow(/another prefix/)
    }
  })
}

async function findMissing(ids: string[], peek: (id: string) => Promise<unknown>): Promise<string> {
  for (const id of ids) if ((await peek(id)) === null) return id
  throw new Error('all sessions have moved')
}
