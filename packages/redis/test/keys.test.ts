import { redisProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { createClient, RESP_TYPES } from 'redis'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import { storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

const HOUR = 3_600_000

describeWith('keys', redisProcess, ({ url }) => {
  const observer = new Redis(url)
  afterEach(() => observer.flushall())
  afterAll(() => observer.disconnect())

  const keysOf = async (pattern = '*') => (await observer.keys(pattern)).sort()

  it('hold a session as a string that begins with its deadline and has a TTL', async () => {
    const start = Date.now()
    const store = storeOf({ url, idleTimeout: HOUR, user: () => 'ada' })
    await store.set('the-id', plain({ name: 'Ada' }))
    const [index, key] = (await keysOf()) as [string, string]
    expect(key).toBe(`sess:${store.handle('the-id')}`)
    expect(index).toMatch(/^sess::[\w-]{43}$/)
    const head = /^2(\d{16})(\d{16})s\S+ (\S*) (.*)$/.exec((await observer.get(key))!)!
    expect(Number(head[1]) - start - HOUR).toBeLessThan(60_000)
    expect(index).toBe(`sess::${head[3]}`)
    expect(JSON.parse(head[4]!)).toEqual(plain({ name: 'Ada' }))
    expect(Math.abs((await observer.pttl(key)) - HOUR - 60_000)).toBeLessThan(60_000)
    // The index lasts until the end of the hour in which the session ends, and a minute.
    expect(await observer.pttl(index)).toBeGreaterThan(HOUR)
    expect(await observer.pttl(index)).toBeLessThan(2 * HOUR + 120_000)
    await store.destroy('the-id')
    expect(await observer.pttl(key)).toBeLessThan(120_001)
  })

  it('go half a minute to a minute after their deadline, wherever touches move it', async () => {
    const store = storeOf({ url })
    const start = Date.now()
    await store.set('the-id', { ...plain(), cookie: { expires: new Date(start + HOUR) } as never })
    const [key] = (await keysOf()) as [string]
    for (let seconds = 0; seconds < 200; seconds += 7) {
      for (const moved of [seconds, -seconds]) {
        const deadline = start + HOUR + moved * 1000
        await store.touch('the-id', { ...plain(), cookie: { expires: new Date(deadline) } as never })
        expect((await store.list()).sessions[0]!.expiresAt - deadline).toBeLessThan(100)
        const left = await observer.pttl(key)
        expect(Date.now() + left - deadline).toBeGreaterThanOrEqual(30_000)
        expect(Date.now() + left - deadline).toBeLessThan(62_000)
      }
    }
  })

  it('are in the database of the URL', async () => {
    const store = storeOf({ url: `${url}/3` })
    await store.set('the-id', plain())
    expect(await keysOf()).toEqual([])
    await observer.select(3)
    expect(await keysOf()).toHaveLength(1)
    await observer.select(0)
  })

  it.each([
    ['sess:', 'sess:app:'],
    ['sess:', 'sess::app:'],
    ['a*:', 'ab:'],
    ['[ab]:', 'a:'],
    ['a?:', 'ab:'],
    ['a\\*:', 'a*:'],
    [':', 'a:'],
    ['ä\n ":', 'ä:'],
  ])('with the prefixes %j and %j are apart', async (...prefixes) => {
    const stores = prefixes.map((prefix) => storeOf({ url, prefix, user: () => 'ada' }))
    const [one, other] = stores as [RedisStore, RedisStore]
    await one.set('the-id', plain({ name: 'one' }))
    await other.set('the-id', plain({ name: 'other' }))
    await other.set('another', plain())
    expect(await one.ids()).toEqual([one.handle('the-id')])
    expect(await one.length()).toBe(1)
    expect((await other.list({ user: 'ada' })).sessions).toHaveLength(2)
    await one.clear()
    expect(await one.length()).toBe(0)
    expect(await other.length()).toBe(2)
    await other.set('more', plain())
    await one.set('the-id', plain())
    await other.clear()
    expect(await one.length()).toBe(1)
    expect((await one.list({ user: 'ada' })).sessions).toHaveLength(1)
  })

  it('get the prefix of the lent client, whatever its other settings', async () => {
    const settings = { enableAutoPipelining: true, protocol: 2, stringNumbers: true } as const
    const client = new Redis(url, { keyPrefix: 'app*:', ...settings })
    after(() => client.disconnect())
    const store = storeOf({ client, user: () => 'ada' })
    await store.set('the-id', plain({ name: 'Ada' }))
    expect((await keysOf())[1]).toBe(`app*:sess:${store.handle('the-id')}`)
    expect(await store.get('the-id')).toMatchObject({ name: 'Ada' })
    expect(await store.ids()).toEqual([store.handle('the-id')])
    expect(await store.length()).toBe(1)
    expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
    await store.clear()
    expect(await keysOf()).toEqual([])
  })

  it.each([
    { RESP: 2, keyPrefix: 'app*:' },
    { RESP: 3, keyPrefix: 'app*:' },
  ] as const)('get the prefix of a client of redis 6 that is set to %o', async (settings) => {
    const typeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String }
    const client = createClient({ url, ...settings, commandOptions: { asap: true, typeMapping } })
    after(() => client.destroy())
    await client.connect()
    const store = storeOf({ client, user: () => 'ada' })
    await store.set('the-id', plain({ name: 'Ada' }))
    expect((await keysOf())[1]).toBe(`app*:sess:${store.handle('the-id')}`)
    expect(await client.exists(`sess:${store.handle('the-id')}`)).toBe('1')
    expect(await store.get('the-id')).toMatchObject({ name: 'Ada' })
    expect(await store.ids()).toEqual([store.handle('the-id')])
    expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
    await store.clear()
    expect(await keysOf()).toEqual([])
  })

  it('are written even if Redis has forgotten a script', async () => {
    const store = storeOf({ url, user: () => 'ada' })
    const flush = () => observer.call('SCRIPT', 'FLUSH')
    await store.set('the-id', plain({ name: 'Ada' }))
    await flush()
    await store.set('the-id', plain({ name: 'Bob' }))
    await flush()
    await store.touch('the-id', plain())
    await flush()
    expect(await store.length()).toBe(1)
    expect(await store.get('the-id')).toMatchObject({ name: 'Bob' })
  })

  it('are not listed after a wrong cursor', async () => {
    const store = storeOf({ url })
    for (const after of ['', 'x', '-1', '0 0', '1'.repeat(30), { $gt: '' }, null, [], true])
      await expect(store.list({ after: after as string })).rejects.toMatchObject({ code: 'INVALID_QUERY' })
  })
})
