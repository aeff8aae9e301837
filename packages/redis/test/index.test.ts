import { SessionStore } from '@session-stores/core'
import { redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Cluster, Redis } from 'ioredis'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { RedisStore, redisDriver } from '../src/index.ts'
import { plain } from './plain.ts'
import { after, storeOf } from './support.ts'

const HOUR = 3_600_000

describe('options', () => {
  const url = 'redis://127.0.0.1:1'

  it('names the option that is wrong, and what it takes', () => {
    // @ts-expect-error
    expect(() => new RedisStore({ clinet: new Redis({ lazyConnect: true }) })).toThrow(
      /unknown option 'clinet'.* url, tls, client, prefix/,
    )
    // @ts-expect-error
    expect(() => new RedisStore({ url: 7 })).toThrow("option 'url' takes a URL")
    // @ts-expect-error
    expect(() => new RedisStore({ client: {} })).toThrow("option 'client' takes an ioredis Redis or Cluster")
    // @ts-expect-error
    expect(() => new RedisStore({ url, tls: true })).toThrow("option 'tls' takes what")
    expect(() => new RedisStore({ url, idleTimeout: -1 })).toThrow("option 'idleTimeout' takes")
  })

  it('takes either a url or a client', () => {
    const client = new Redis({ lazyConnect: true })
    // @ts-expect-error
    expect(() => redisDriver({ url, client })).toThrow(TypeError)
    // @ts-expect-error
    expect(() => redisDriver({ client, tls: {} })).toThrow(TypeError)
    // @ts-expect-error
    expect(() => redisDriver({})).toThrow(TypeError)
    // @ts-expect-error
    expect(() => redisDriver()).toThrow(TypeError)
    expect(new RedisStore({ client, pruneInterval: false })).toBeInstanceOf(SessionStore)
    const cluster = new Cluster([{ port: 1 }], { lazyConnect: true })
    expect(new RedisStore({ client: cluster, pruneInterval: false })).toBeInstanceOf(SessionStore)
  })

  it.each([
    'localhost:6379',
    'http://localhost',
    'redis:localhost',
    'REDISS://localhost',
    'redis://:pass%word@localhost',
    'redis://localhost/sessions',
    'redis://localhost:99999',
    '',
  ])('does not take %j for a URL, nor shows it', (wrong) => {
    expect(() => redisDriver({ url: wrong })).toThrow(
      /^option 'url' takes a URL such as 'redis:\/\/localhost:6379\/0' \(rediss: for TLS\)$/,
    )
  })

  it.each(['', 'sess', 'sess::', 'sess:\n', '::'])('does not take %j for a prefix', (prefix) => {
    expect(() => redisDriver({ url, prefix })).toThrow("option 'prefix' takes a text that ends with one ':'")
  })
})

describeWith('Redis', redisProcess, ({ url }) => {
  const observer = new Redis(url)
  afterEach(() => observer.flushall())
  afterAll(() => observer.disconnect())

  const keysOf = async (pattern = '*') => (await observer.keys(pattern)).sort()

  it('holds a session as a string that shows when it ends, and goes by itself', async () => {
    const start = Date.now()
    const store = storeOf({ url, idleTimeout: HOUR, user: () => 'ada' })
    await store.set('the-id', plain({ name: 'Ada' }))
    const [index, key] = (await keysOf()) as [string, string]
    expect(key).toBe(`sess:${store.handle('the-id')}`)
    expect(index).toMatch(/^sess::[\w-]{43}$/)
    const head = /^1(\d{16})(\d{16})s\S+ (\S*) (.*)$/.exec((await observer.get(key))!)!
    expect(Number(head[1]) - start - HOUR).toBeLessThan(60_000)
    expect(index).toBe(`sess::${head[3]}`)
    expect(JSON.parse(head[4]!)).toEqual(plain({ name: 'Ada' }))
    expect(Math.abs((await observer.pttl(key)) - HOUR - 60_000)).toBeLessThan(60_000)
    // The end of the hour in which it ends, and a minute.
    expect(await observer.pttl(index)).toBeGreaterThan(HOUR)
    expect(await observer.pttl(index)).toBeLessThan(2 * HOUR + 120_000)
    await store.destroy('the-id')
    expect(await observer.pttl(key)).toBeLessThan(120_001)
  })

  it('uses the database of the URL', async () => {
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
  ])('keeps %j and %j apart', async (...prefixes) => {
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

  it('works with a client that has a prefix of its own and other ways', async () => {
    const ways = { enableAutoPipelining: true, protocol: 2, stringNumbers: true } as const
    const client = new Redis(url, { keyPrefix: 'app*:', ...ways })
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

  it('runs scripts again that Redis has forgotten', async () => {
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

  describe("somebody else's values under the prefix", () => {
    const foreign = {
      'of connect-redis': JSON.stringify(plain({ name: 'Eve' })),
      'that begin alike': `1${' '.repeat(40)}`,
      'cut short': '10000',
      'that are a number': '17999',
      empty: '',
    }

    it.each(Object.entries(foreign))('%s are CORRUPT, and gone with a save', async (_name, value) => {
      const store = storeOf({ url, hashIds: false })
      await observer.set('sess:theirs', value)
      await store.set('ours', plain({ name: 'Ada' }))
      const [ours, theirs] = await Promise.allSettled([store.get('ours'), store.get('theirs')])
      expect(ours).toMatchObject({ status: 'fulfilled', value: { name: 'Ada' } })
      expect(theirs).toMatchObject({ status: 'rejected', reason: { code: 'CORRUPT' } })
      expect(await store.length()).toBe(1)
      expect(await store.ids()).toContain('ours')
      expect(Object.keys(await store.all())).toEqual(['ours'])
      await store.touch('theirs', plain())
      expect(await observer.get('sess:theirs')).toBe(value)
      await store.set('theirs', plain({ name: 'Bob' }))
      expect(await store.get('theirs')).toMatchObject({ name: 'Bob' })
    })

    it.each([...Object.values(foreign), `1${'9'.repeat(32)}s`])('%j holds up no other row', async (value) => {
      const driver = redisDriver({ url })
      after(() => driver.close())
      await observer.set('sess:theirs', value)
      const now = Date.now()
      const create = { data: '{}', tag: 'tag', user: null, createdAt: now, expiresAt: now + HOUR, expect: '' }
      const landed = await driver.write(
        ['ours', 'theirs'].map((key) => ({ key, ...create })),
        now,
      )
      expect(landed).toContain('ours')
    })

    it('of another type are no sessions, and gone with a save', async () => {
      const store = storeOf({ url, hashIds: false })
      await observer.hset('sess:theirs', 'name', 'Eve')
      await store.set('ours', plain({ name: 'Ada' }))
      expect(await Promise.all([store.get('ours'), store.get('theirs')])).toMatchObject([
        { name: 'Ada' },
        null,
      ])
      await store.touch('theirs', plain())
      expect(await store.length()).toBe(1)
      expect(await store.ids()).toEqual(['ours'])
      await store.set('theirs', plain({ name: 'Bob' }))
      expect(await store.get('theirs')).toMatchObject({ name: 'Bob' })
    })
  })

  describe('the index of a user', () => {
    /** A store whose time stands where it is put. */
    function atTime() {
      const clock = { now: Date.now() }
      const store = storeOf({ url, idleTimeout: 3 * HOUR, user: () => 'ada', now: () => clock.now })
      return { clock, store }
    }

    it('names a session as long as touches keep it alive, and no longer', async () => {
      const { store, clock } = atTime()
      await store.set('kept', plain())
      await store.set('left', plain())
      const [index] = await keysOf('sess::*')
      for (let i = 0; i < 40; i++) {
        clock.now += HOUR / 3
        await store.touch('kept', plain())
        const { sessions } = await store.list({ user: 'ada' })
        expect(sessions.map(({ handle }) => handle)).toContain(store.handle('kept'))
      }
      expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
      expect(await observer.zcard(index!)).toBe(1)
      // From now on, whatever the clock of the store says.
      expect(await observer.pttl(index!)).toBeLessThan(5 * HOUR)
      expect(await store.revokeUser('ada')).toBe(1)
      expect(await store.get('kept')).toBe(null)
    })

    it('names a session whatever those who touch it know of its user', async () => {
      const clock = { now: Date.now() }
      const user = (session: object) => (session as { user?: string }).user
      const store = storeOf({ url, idleTimeout: 3 * HOUR, user, now: () => clock.now })
      await store.set('the-id', plain({ user: 'ada' }))
      for (let i = 0; i < 12; i++) {
        clock.now += HOUR / 2
        await store.touch('the-id', plain(i % 2 ? {} : { user: 'bob' }))
        // Drops what is past from the index.
        await store.set(`another-${i}`, plain({ user: 'ada' }))
      }
      const { sessions } = await store.list({ user: 'ada' })
      expect(sessions.map(({ handle }) => handle)).toContain(store.handle('the-id'))
      expect((await store.list({ user: 'bob' })).sessions).toEqual([])
    })

    it('is written before the session, also where its script alone is unknown', async () => {
      const driver = redisDriver({ url })
      after(() => driver.close())
      const now = Date.now()
      const write = (key: string, user: string | null) =>
        driver.write([{ key, data: '{}', tag: 'tag', user, createdAt: now, expiresAt: now + HOUR }], now)
      await observer.call('SCRIPT', 'FLUSH')
      await write('nobodys', null)
      const monitor = await observer.monitor()
      after(() => monitor.disconnect())
      const seen: string[] = []
      monitor.on('monitor', (_time, [command]: string[]) => {
        if (command === 'ZADD' || command === 'SET') seen.push(command)
      })
      await write('adas', 'a'.repeat(43))
      await expect.poll(() => seen).toHaveLength(2)
      expect(seen).toEqual(['ZADD', 'SET'])
    })

    it('loses what is past by a hundred at a time', async () => {
      const { store } = atTime()
      await store.set('the-id', plain())
      const [index] = (await keysOf('sess::*')) as [string]
      const past = Array.from({ length: 250 }, (_, i) => [1000, `past-${i}`])
      await observer.zadd(index, ...past.flat())
      const sizes: number[] = []
      for (let i = 0; i < 3; i++) {
        await store.set('the-id', plain())
        sizes.push(await observer.zcard(index))
      }
      expect(sizes).toEqual([151, 51, 1])
    })

    it('is not written by touches within an hour', async () => {
      const { store, clock } = atTime()
      await store.set('the-id', plain())
      clock.now = Math.ceil(clock.now / HOUR) * HOUR + 1000
      await store.touch('the-id', plain())
      await observer.config('RESETSTAT')
      for (let i = 0; i < 50; i++) {
        clock.now += HOUR / 60
        await store.touch('the-id', plain())
      }
      const commands = await observer.info('commandstats')
      expect(commands).toMatch('cmdstat_setrange:calls=50,')
      expect(commands).not.toMatch('cmdstat_zadd')
    })
  })

  it('takes no after that no page gave', async () => {
    const store = storeOf({ url })
    for (const after of ['', 'x', '-1', '0 0', '1'.repeat(30), { $gt: '' }, null, [], true])
      await expect(store.list({ after: after as string })).rejects.toMatchObject({ code: 'INVALID_QUERY' })
  })
})
