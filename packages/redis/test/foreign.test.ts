import { redisProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterAll, afterEach, expect, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

const HOUR = 3_600_000

describeWith("other programs' values under the prefix", redisProcess, ({ url }) => {
  const observer = new Redis(url)
  afterEach(() => observer.flushall())
  afterAll(() => observer.disconnect())

  const foreign = {
    'of connect-redis': JSON.stringify(plain({ name: 'Eve' })),
    'that begin like ours': `2${' '.repeat(40)}`,
    'that are cut short': '20000',
    'that are a number': '27999',
    'of an older version': `1${'0'.repeat(16)}${'9'.repeat(16)}stag  {}`,
    empty: '',
  }

  it.each(Object.entries(foreign))('%s are CORRUPT until a save replaces them', async (_name, value) => {
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

  it.each([true, false])('are neither listed, counted nor removed, with hashIds: %s', async (hashIds) => {
    const store = storeOf({ url, hashIds, user: () => 'ada' })
    await Promise.all(['one', 'two', 'three'].map((id) => store.set(id, plain())))
    await store.destroy('three')
    // Only this store has keys of this form, so this one counts as its own, though corrupt.
    await observer.set(`sess:${'c'.repeat(43)}`, 'corrupt')
    const theirs = {
      'sess:cart': 'theirs',
      'sess:cart:7': 'theirs',
      'sess:cart:7:8': 'theirs',
      'sess::cart': 'theirs',
      'sess::cart:7': 'theirs',
      'sess:': 'theirs',
      'sess::': 'theirs',
      [`sess:${'a'.repeat(32)}`]: foreign['of connect-redis'],
      'sess:older': foreign['of an older version'],
      'sess:alike': foreign['that begin like ours'],
      'sess:a key': `2${'9'.repeat(32)}s`,
      'sess:clé': `2${'9'.repeat(32)}s`,
    }
    await observer.mset(theirs)
    await observer.hset('sess:hash', 'name', 'Eve')
    await observer.zadd('sess::sorted', 1, 'Eve')

    const expected = hashIds
      ? [store.handle('one'), store.handle('two'), 'c'.repeat(43)]
      : ['one', 'two', 'c'.repeat(43)]
    expect((await store.ids()).sort()).toEqual(expected.sort())
    expect(await store.length()).toBe(2)
    expect((await store.list()).sessions).toHaveLength(2)
    await store.prune()
    await store.clear()
    expect((await observer.keys('*')).sort()).toEqual(
      [...Object.keys(theirs), 'sess:hash', 'sess::sorted'].sort(),
    )
    expect(await observer.mget(Object.keys(theirs))).toEqual(Object.values(theirs))
  })

  it.each([...Object.values(foreign), `2${'9'.repeat(32)}s`])(
    '%j does not keep other rows of a batch from landing',
    async (value) => {
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
    },
  )

  it('that were copied from another key are CORRUPT until a save replaces them', async () => {
    const store = storeOf({ url, hashIds: false, user: () => 'ada' })
    await store.set('ours', plain({ name: 'Ada' }))
    await observer.copy('sess:ours', 'sess:theirs')
    const connections = async () => `${await observer.client('LIST')}`.match(/^id=\d+/gm)
    const before = await connections()
    await expect(store.get('theirs')).rejects.toMatchObject({ code: 'CORRUPT' })
    await store.set('theirs', plain({ name: 'Bob' }))
    expect(await store.get('theirs')).toMatchObject({ name: 'Bob' })
    expect(await store.get('ours')).toMatchObject({ name: 'Ada' })
    // The check has found the connection in step, so it stays open.
    expect(await connections()).toEqual(before)
  })

  it('of another type count as missing until a save replaces them', async () => {
    const store = storeOf({ url, hashIds: false })
    await observer.hset('sess:theirs', 'name', 'Eve')
    await store.set('ours', plain({ name: 'Ada' }))
    expect(await Promise.all([store.get('ours'), store.get('theirs')])).toMatchObject([{ name: 'Ada' }, null])
    await store.touch('theirs', plain())
    expect(await store.length()).toBe(1)
    expect(await store.ids()).toEqual(['ours'])
    await store.set('theirs', plain({ name: 'Bob' }))
    expect(await store.get('theirs')).toMatchObject({ name: 'Bob' })
  })
})
