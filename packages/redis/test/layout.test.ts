import type { Write } from '@session-stores/core'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { servers, storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

const HOUR = 3_600_000
const KEY = 'mark-mark-1'.padStart(43, 'k')
const USER = 'u'.repeat(43)
const TIMES = '0004099999999999' + '0001700000000000'

/** What was released, so that every version must read it. Add others, and never change these. */
const released = {
  session: `2${TIMES}smark-mark-1tag-1 ${USER} {"cookie":{},"name":"Ada"}`,
  nobody: `2${TIMES}smark-mark-1tag-1  {"cookie":{},"name":"Ada"}`,
  tombstone: `2${TIMES}tmark-mark-1tag-2  `,
}

describe.each(servers)('on %s', (_name, start) => {
  describeWith('the layout of values', start, ({ url }) => {
    const observer = new Redis(url)
    afterEach(() => observer.flushall())
    afterAll(() => observer.disconnect())

    it('that was released is read and written to the byte', async () => {
      const driver = redisDriver({ url })
      after(() => driver.close())
      await driver.setup()
      const times = { createdAt: 1_700_000_000_000, expiresAt: 4_099_999_999_999 }
      const session = { key: KEY, data: '{"cookie":{},"name":"Ada"}', tag: 'tag-1', user: USER, ...times }
      const nobody = { ...session, user: null }
      const rows: [string, Write][] = [
        [released.session, session],
        [released.nobody, nobody],
        [released.tombstone, { ...nobody, data: null, tag: 'tag-2' }],
      ]
      for (const [value, row] of rows) {
        await observer.flushall()
        expect(await driver.write([{ ...row, expect: '' }], Date.now())).toEqual([KEY])
        expect(await observer.get(`sess:${KEY}`)).toBe(value)
        expect(await driver.read([KEY])).toEqual([row])
      }
    })

    it.each([true, false])(
      'of a newer version counts, is listed, lives and ends (hashIds: %s)',
      async (hashIds) => {
        const options = { url, hashIds, user: () => 'ada' }
        const [store, other] = [storeOf(options), storeOf(options)]
        const key = `sess:${hashIds ? store.handle('id') : 'id'}`
        /** Stores what a newer version does: all up to the second space stays, and the rest is new. */
        async function storeNewer(): Promise<string> {
          await store.set('id', plain({ name: 'Ada' }))
          const value = (await observer.get(key))!
          const newer = `3${value.slice(1, value.indexOf('{'))}\u0001new fields\u0001payload`
          await observer.set(key, newer, 'KEEPTTL')
          return newer
        }
        const newer = await storeNewer()
        await store.set('other', plain())
        expect(await other.length()).toBe(2)
        expect(await other.ids()).toHaveLength(2)
        expect((await other.list({ user: 'ada' })).sessions).toHaveLength(1)
        for (const call of [
          () => other.get('id'),
          () => other.set('id', plain()),
          () => other.update('id', (session) => session),
        ])
          await expect(call()).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' })
        expect(await observer.get(key)).toBe(newer)

        const later = plain()
        later.cookie.expires = new Date(Date.now() + 90 * HOUR)
        await other.touch('id', later)
        const touched = (await observer.get(key))!
        expect(touched.slice(1, 17) > newer.slice(1, 17)).toBe(true)
        expect(touched.slice(17)).toBe(newer.slice(17))
        expect(await observer.pttl(key)).toBeGreaterThan(89 * HOUR)

        const ends = [() => other.destroy('id'), () => other.revokeUser('ada'), () => other.clear()]
        for (const end of ends) {
          await end()
          expect(await other.get('id')).toBeNull()
          expect(
            (await other.list({ user: 'ada' })).sessions.filter(({ session }) => 'name' in session),
          ).toEqual([])
          await observer.flushall()
          await storeNewer()
        }
      },
    )

    it('of a newer version refuses a create, and an update with another tag', async () => {
      const driver = redisDriver({ url })
      after(() => driver.close())
      await driver.setup()
      const now = Date.now()
      const newer = `9${released.session.slice(1)}`
      await observer.set(`sess:${KEY}`, newer)
      const row = { key: KEY, data: '{}', tag: 'mine', user: null, createdAt: now, expiresAt: now + HOUR }
      for (const wanted of ['', 'other', '?'])
        expect(await driver.write([{ ...row, expect: wanted }], now)).toEqual([])
      expect(await observer.get(`sess:${KEY}`)).toBe(newer)
      expect(await driver.read([KEY])).toMatchObject([{ tag: 'tag-1', user: USER, data: 'format:?:' }])
      await observer.set(`sess:${KEY}`, `9${released.tombstone.slice(1)}`)
      expect(await driver.write([{ ...row, expect: '' }], now)).toEqual([])
      expect(await driver.read([KEY])).toMatchObject([{ tag: 'tag-2', data: null }])
    })
  })
})
