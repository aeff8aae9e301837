import assert from 'node:assert/strict'
import { HOUR } from '../common.ts'
import {
  type DriverRule,
  hashUser,
  KEY,
  landAll,
  makeSession,
  makeTag,
  makeTombstone,
  put,
  read,
  readLive,
  toRow,
  write,
} from './fixture.ts'

/** Rules about what one write leaves behind. */

export const writes: DriverRule[] = [
  {
    id: 'contract/write/created-at-is-kept-by-update',
    why: 'A session that is saved again and again never reaches its absolute timeout.',
    async check({ a, b, now }) {
      const first = makeSession(KEY, now)
      const second = makeSession(KEY, now + 1, { expect: first.tag })
      await put(a, now, first)
      await put(b, now + 1, second)
      await put(a, now + 2, makeSession(KEY, now + 2, { expect: second.tag }))
      assert.equal((await read(b, KEY))[0]?.createdAt, now)
    },
  },
  {
    id: 'contract/write/created-at-is-kept-by-an-extending-update',
    why: 'A session that is saved again and again never reaches its absolute timeout.',
    async check({ a, b, now }) {
      const first = makeSession(KEY, now)
      const second = makeSession(KEY, now + 1, { expect: first.tag, extend: true })
      await landAll(a, now, first)
      await landAll(b, now + 1, second)
      await landAll(a, now + 2, makeSession(KEY, now + 2, { expect: second.tag, extend: true }))
      assert.equal((await read(b, KEY))[0]?.createdAt, now)
    },
  },
  {
    id: 'contract/write/created-at-is-renewed-after-expiry',
    why: 'A new session inherits the age of an expired one, and the absolute timeout ends it early.',
    async check({ a, b, now }) {
      await put(a, now, makeSession(KEY, now))
      const later = now + 2 * HOUR
      await landAll(b, later, makeSession(KEY, later))
      assert.equal((await read(a, KEY))[0]?.createdAt, later)
    },
  },
  {
    id: 'contract/write/created-at-is-renewed-after-a-tombstone',
    why: 'A new session inherits the age of a destroyed one, and the absolute timeout ends it early.',
    async check({ a, b, now }) {
      const dead = makeTombstone('stands', now, { expiresAt: now + 3 * HOUR })
      await put(a, now, dead, makeTombstone('is-over', now))
      const later = now + HOUR
      await landAll(
        b,
        later,
        makeSession('is-over', later),
        makeSession('stands', later, { expect: dead.tag }),
      )
      const ages = (await read(a, 'is-over', 'stands')).map((row) => row.createdAt)
      assert.deepEqual(ages, [later, later])
    },
  },
  {
    id: 'contract/write/user-follows-each-write',
    why: 'A session stays listed under who used it before, and revoking that user logs out another.',
    async check({ a, b, now }) {
      const owners = [null, hashUser('ann'), hashUser('bob'), null, hashUser('ann')]
      for (const owner of owners) {
        await put(a, now, makeSession(KEY, now, { user: owner }))
        assert.equal((await read(b, KEY))[0]?.user, owner)
      }
    },
  },
  {
    id: 'contract/write/deadline-follows-each-write',
    why: 'A save cannot shorten or lengthen the life of its session, as a changed cookie.maxAge asks.',
    async check({ a, b, now }) {
      for (const expiresAt of [now + 5 * HOUR, now + HOUR, now + 9 * HOUR + 1])
        for (const extend of [undefined, false]) {
          await put(a, now, makeSession(KEY, now, { expiresAt, extend }))
          assert.equal((await read(b, KEY))[0]?.expiresAt, expiresAt)
          await a.touch([{ key: KEY, user: null, expiresAt: now + 7 * HOUR }], now)
        }
    },
  },
  {
    id: 'contract/write/session-saved-past-its-deadline-is-over',
    why: 'A session that was saved with a deadline in the past, to end it, stays open.',
    async check({ a, b, now }) {
      const first = makeSession(KEY, now)
      const ended = makeSession(KEY, now, { expect: first.tag, expiresAt: now - HOUR })
      await put(a, now, first)
      await put(a, now, ended)
      assert.deepEqual(await readLive(b, now, KEY), [])
      assert.deepEqual(await write(b, now, makeSession(KEY, now, { expect: ended.tag })), [])
    },
  },
  {
    id: 'contract/write/tags-are-compared-exactly',
    why: 'A save overwrites what another request saved meanwhile, unseen.',
    async check({ a, b, now }) {
      await put(a, now, makeSession(KEY, now, { tag: 'Tag-1' }))
      for (const expect of ['tag-1', 'TAG-1', 'Tag-', 'Tag-11', 'Tag-1.0', '%', '*', '?'])
        assert.deepEqual(await write(b, now, makeSession(KEY, now, { expect })), [], expect)
      await put(b, now, makeSession(KEY, now, { expect: 'Tag-1' }))
    },
  },
  {
    id: 'contract/write/a-shorter-payload-replaces-a-longer-one',
    why: 'The end of an older session sticks to a newer one, which cannot be read any more.',
    async check({ a, b, now }) {
      for (const length of [100_000, 10, 1000, 1, 0, 10]) {
        const next = makeSession(KEY, now, { data: 'x'.repeat(length) })
        await put(a, now, next)
        assert.deepEqual(await read(b, KEY), [toRow(next)])
      }
    },
  },
  {
    id: 'contract/write/arguments-stay-as-they-are',
    why: 'What is sent again after a lost reply is not what was sent first.',
    async check({ a, now }) {
      const writes = [
        makeSession('a', now),
        makeTombstone('b', now),
        makeSession('c', now, { user: hashUser('ann'), extend: true }),
      ]
      const touches = [{ key: 'c', user: hashUser('ann'), expiresAt: now + 2 * HOUR, tag: writes[2]!.tag }]
      const keys = ['a', 'b', 'c']
      const before = structuredClone({ writes, touches, keys })
      await a.write(writes, now)
      await a.touch(touches, now)
      await a.read(keys)
      assert.deepEqual({ writes, touches, keys }, before)
    },
  },
  {
    id: 'contract/write/leaves-other-rows-alone',
    why: "One user's save or logout changes another user's session.",
    async check({ a, b, now }) {
      const bystanders = ['the', 'the-ke', 'the-key-', 'THE-KEY', 'the-kez'].map((key) =>
        makeSession(key, now),
      )
      await put(a, now, ...bystanders)
      const keys = bystanders.map((row) => row.key)
      const before = await read(b, ...keys)
      await put(a, now, makeSession(KEY, now))
      await write(a, now, makeSession(KEY, now, { expect: makeTag() }))
      await put(a, now, makeTombstone(KEY, now))
      assert.deepEqual(await read(b, ...keys), before)
    },
  },
]
