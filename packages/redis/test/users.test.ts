import { redisProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterAll, afterEach, expect, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

const HOUR = 3_600_000

describeWith('the index of a user', redisProcess, ({ url }) => {
  const observer = new Redis(url)
  afterEach(() => observer.flushall())
  afterAll(() => observer.disconnect())

  const keysOf = async (pattern = '*') => (await observer.keys(pattern)).sort()

  /** Makes a store with a clock that only the test moves. */
  function storeWithClock() {
    const clock = { now: Date.now() }
    const store = storeOf({ url, idleTimeout: 3 * HOUR, user: () => 'ada', now: () => clock.now })
    return { clock, store }
  }

  it('names a session as long as touches keep the session alive, and no longer', async () => {
    const { store, clock } = storeWithClock()
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
    // The TTL counts from now on, whatever the clock of the store says.
    expect(await observer.pttl(index!)).toBeLessThan(5 * HOUR)
    expect(await store.revokeUser('ada')).toBe(1)
    expect(await store.get('kept')).toBe(null)
  })

  it('names a session that is saved while somebody empties the database', async () => {
    const client = new Redis(url)
    after(() => client.disconnect())
    const store = storeOf({ client, user: () => 'ada' })
    await store.set('first', plain())
    const call = client.call.bind(client) as (...args: unknown[]) => Promise<unknown>
    let scripts = 0
    const callAfterFlush = async (...args: unknown[]) => {
      const isScript = `${args[0]}`.startsWith('EVAL')
      if (isScript && ++scripts > 1) await observer.flushall()
      return call(...args)
    }
    Object.assign(client, { call: callAfterFlush })
    await store.set('second', plain())
    Object.assign(client, { call })
    expect(scripts).toBeGreaterThan(0)
    expect(await store.get('second')).not.toBe(null)
    const { sessions } = await store.list({ user: 'ada' })
    expect(sessions.map(({ handle }) => handle)).toContain(store.handle('second'))
  })

  it('keeps a session from being saved without an entry', async () => {
    const store = storeOf({ url, user: () => 'ada' })
    await store.set('first', plain())
    const [index] = await keysOf('sess::*')
    await observer.set(index!, 'a value of somebody else')
    await expect(store.set('second', plain())).rejects.toMatchObject({ code: 'BAD_STORAGE' })
    expect(await store.get('second')).toBe(null)
  })

  it('loses a hundred past entries at a time', async () => {
    const { store } = storeWithClock()
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

  it('is not written by touches within one hour', async () => {
    const { store, clock } = storeWithClock()
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

  const ADA = 'a'.repeat(43)
  const BOB = 'b'.repeat(43)
  const indexOf = (user: string) => `sess::${user}`
  const now = Date.now()
  const texts = { key: 'the-key', data: '{}', createdAt: now, expiresAt: now + HOUR }

  it('loses sessions when they end', async () => {
    const { store } = storeWithClock()
    for (let i = 0; i < 300; i++) {
      await store.set(`id-${i}`, plain())
      if (i > 0) await store.destroy(`id-${i}`)
    }
    const [index] = await keysOf('sess::*')
    expect(await observer.zrange(index!, '0', '-1')).toEqual([store.handle('id-0')])
    // The same must hold for batches.
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.set(`more-${i}`, plain())))
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.destroy(`more-${i}`)))
    expect(await observer.zcard(index!)).toBe(1)
    expect(await store.revokeUser('ada')).toBe(1)
    expect(await keysOf('sess::*')).toEqual([])
  })

  it('names a session that begins again while the previous one ends', async () => {
    const drivers = [redisDriver({ url }), redisDriver({ url })] as const
    after(() => drivers.map((driver) => driver.close()))
    const [ending, beginning] = drivers
    for (let round = 0; round < 100; round++) {
      const key = `key-${round}`
      const session = { ...texts, key, user: ADA }
      await beginning.write([{ ...session, tag: 'first', expect: '' }], now)
      const dead = { ...session, data: null, user: null, expiresAt: now + 60_000 }
      const again = async () => {
        for (;;) {
          const [row] = await beginning.read([key])
          if (row?.data !== null) continue
          const next = { ...session, tag: 'second', expect: row.tag }
          return expect(await beginning.write([next], now)).toEqual([key])
        }
      }
      await Promise.all([again(), ending.write([{ ...dead, tag: 'ended', expect: 'first' }], now)])
      expect(await observer.zscore(indexOf(ADA), key)).not.toBe(null)
    }
  })

  it('keeps the entry of a session that began again, however late the previous one is removed', async () => {
    const driver = redisDriver({ url })
    after(() => driver.close())
    const session = { ...texts, user: ADA }
    const dead = { ...session, data: null, tag: 'ended', expiresAt: now + 60_000 }
    await driver.write([{ ...session, tag: 'first', expect: '' }], now)
    const first = await observer.zscore(indexOf(ADA), 'the-key')
    await driver.write([dead], now)
    expect(await observer.zscore(indexOf(ADA), 'the-key')).toBe(null)
    await driver.write([{ ...session, tag: 'second', expect: 'ended' }], now)
    expect(Number(await observer.zscore(indexOf(ADA), 'the-key'))).toBeGreaterThan(Number(first))
  })

  it('covers the later deadline that a save for another user keeps', async () => {
    const driver = redisDriver({ url })
    after(() => driver.close())
    const later = now + 30 * HOUR
    await driver.write([{ ...texts, user: ADA, tag: 'first', expect: '', expiresAt: later }], now)
    const life = await observer.pttl('sess:the-key')
    const save = { ...texts, user: BOB, tag: 'second', expect: 'first', extend: true }
    expect(await driver.write([save], now)).toEqual(['the-key'])
    expect(await driver.read(['the-key'])).toMatchObject([{ user: BOB, tag: 'second', expiresAt: later }])
    expect(Number(await observer.zscore(indexOf(BOB), 'the-key'))).toBeGreaterThan(later)
    expect(await observer.pttl(indexOf(BOB))).toBeGreaterThan(later - Date.now())
    expect(life - (await observer.pttl('sess:the-key'))).toBeLessThan(10_000)
    // A session without a user needs no index.
    const nobodys = { ...texts, user: null, tag: 'third', expect: 'second', extend: true }
    expect(await driver.write([nobodys], now)).toEqual(['the-key'])
    expect(await driver.read(['the-key'])).toMatchObject([{ user: null, expiresAt: later }])
  })
})
