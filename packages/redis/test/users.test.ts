import { redisProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterAll, afterEach, expect, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { plain } from './plain.ts'
import { storeOf } from './support.ts'

const HOUR = 3_600_000

describeWith('the index of a user', redisProcess, ({ url }) => {
  const observer = new Redis(url)
  afterEach(() => observer.flushall())
  afterAll(() => observer.disconnect())

  const keysOf = async (pattern = '*') => (await observer.keys(pattern)).sort()

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
