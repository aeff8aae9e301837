import assert from 'node:assert/strict'
import type { Write } from '@session-stores/core'
import {
  type DriverRule,
  HOUR,
  live,
  manyKeys,
  newTag,
  put,
  read,
  rowOf,
  session,
  tombstone,
  user,
  write,
} from './fixture.ts'

/** What a write leaves behind, one row or many. */

const KEY = 'the-key'

export const writes: DriverRule[] = [
  {
    id: 'driver/created-at-is-kept-by-upsert',
    why: 'A session that is saved again and again never reaches its absolute timeout.',
    async check({ a, b, now }) {
      await put(a, now, session(KEY, now))
      await put(b, now + 1, session(KEY, now + 1))
      await put(a, now + 2, session(KEY, now + 2))
      assert.equal((await read(b, KEY))[0]?.createdAt, now)
    },
  },
  {
    id: 'driver/created-at-is-kept-by-update',
    why: 'A session that is saved again and again never reaches its absolute timeout.',
    async check({ a, b, now }) {
      const first = session(KEY, now)
      const second = session(KEY, now + 1, { expect: first.tag })
      await put(a, now, first)
      await put(b, now + 1, second)
      await put(a, now + 2, session(KEY, now + 2, { expect: second.tag }))
      assert.equal((await read(b, KEY))[0]?.createdAt, now)
    },
  },
  {
    id: 'driver/created-at-is-renewed-after-expiry',
    why: 'A new session inherits the age of an expired one, and the absolute timeout ends it early.',
    async check({ a, b, now }) {
      await put(a, now, session('upserted', now), session('created', now))
      const later = now + 2 * HOUR
      await put(b, later, session('upserted', later), session('created', later, { expect: '' }))
      const ages = (await read(a, 'upserted', 'created')).map((row) => row.createdAt)
      assert.deepEqual(ages, [later, later])
    },
  },
  {
    id: 'driver/created-at-is-renewed-after-a-tombstone',
    why: 'A new session inherits the age of a destroyed one, and the absolute timeout ends it early.',
    async check({ a, b, now }) {
      await put(a, now, tombstone(KEY, now))
      await put(b, now + 1, session(KEY, now + 1, { expect: '' }))
      assert.equal((await read(a, KEY))[0]?.createdAt, now + 1)
    },
  },
  {
    id: 'driver/user-follows-each-write',
    why: 'A session stays listed under who used it before, and revoking that user logs out another.',
    async check({ a, b, now }) {
      const owners = [null, user('ann'), user('bob'), null, user('ann')]
      for (const owner of owners) {
        await put(a, now, session(KEY, now, { user: owner }))
        assert.equal((await read(b, KEY))[0]?.user, owner)
      }
    },
  },
  {
    id: 'driver/deadline-follows-each-write',
    why: 'A save cannot shorten or lengthen the life of its session, as a changed cookie.maxAge asks.',
    async check({ a, b, now }) {
      for (const expiresAt of [now + 5 * HOUR, now + HOUR, now + 9 * HOUR + 1]) {
        await put(a, now, session(KEY, now, { expiresAt }))
        assert.equal((await read(b, KEY))[0]?.expiresAt, expiresAt)
      }
    },
  },
  {
    id: 'driver/session-saved-past-its-deadline-is-over',
    why: 'A session that was saved with a deadline in the past, to end it, stays open.',
    async check({ a, b, now }) {
      const first = session(KEY, now)
      const ended = session(KEY, now, { expect: first.tag, expiresAt: now - HOUR })
      await put(a, now, first)
      await put(a, now, ended)
      assert.deepEqual(await live(b, now, KEY), [])
      assert.deepEqual(await write(b, now, session(KEY, now, { expect: ended.tag })), [])
    },
  },
  {
    id: 'driver/tombstone-is-stored-whole',
    why: 'A tombstone without its deadline refuses late saves for too short a time, or an id for ever.',
    async check({ a, b, now }) {
      const dead = tombstone(KEY, now + 1, { user: user('ann'), expiresAt: now + 2 * HOUR })
      await put(a, now, session(KEY, now, { user: user('ann') }))
      await put(a, now + 1, dead)
      assert.deepEqual(await read(b, KEY), [rowOf(dead)])
    },
  },
  {
    id: 'driver/tombstone-without-time-ends-the-session',
    why: 'With tombstones switched off, a logout leaves the session open.',
    async check({ a, b, now }) {
      const [first, second] = [session('at-now', now), session('before-now', now)]
      await put(a, now, first, second)
      await put(
        a,
        now,
        tombstone('at-now', now, { expiresAt: now }),
        tombstone('before-now', now, { expiresAt: now - HOUR }),
      )
      assert.deepEqual(await live(b, now, 'at-now', 'before-now'), [])
      const late = [first, second].map(({ key, tag }) => session(key, now, { expect: tag }))
      assert.deepEqual(await write(b, now, ...late), [], 'a late save does not land')
      await put(b, now, session('at-now', now), session('before-now', now, { expect: '' }))
    },
  },
  {
    id: 'driver/tombstone-ends-with-its-deadline',
    why: 'An id that was destroyed once can never be used again.',
    async check({ a, b, now }) {
      await put(a, now, tombstone(KEY, now, { expiresAt: now + HOUR }))
      assert.deepEqual(await write(b, now + HOUR - 1, session(KEY, now)), [])
      await put(b, now + HOUR, session(KEY, now + HOUR))
    },
  },
  ...(['upsert', 'create', 'update', 'tombstone'] as const).map(
    (verb): DriverRule => ({
      id: `driver/${verb}-sent-twice-changes-nothing`,
      why: 'A call sent again after a lost reply is reported as a conflict, or changes what it wrote.',
      async check({ a, b, now }) {
        const before = session(KEY, now - 1)
        if (verb !== 'create') await put(a, now - 1, before)
        const expect = { upsert: undefined, tombstone: undefined, create: '', update: before.tag }[verb]
        const twice = session(KEY, now, { expect, ...(verb === 'tombstone' && { data: null }) })
        await put(a, now, twice)
        const once = await read(b, KEY)
        await put(b, now + 1, twice)
        assert.deepEqual(await read(a, KEY), once)
      },
    }),
  ),
  {
    id: 'driver/batch-decides-each-row-alone',
    why: 'One refused save holds up the saves of other users that were sent along with it.',
    async check({ a, b, now }) {
      const there = ['conflict', 'created', 'gone-by-now', 'saved', 'upserted'].map((key) =>
        session(key, now),
      )
      await put(a, now, ...there, tombstone('destroyed', now))
      const tagOf = (key: string) => there.find((row) => row.key === key)!.tag
      await put(a, now, tombstone('gone-by-now', now))
      const batch: Record<string, Write> = {
        conflict: session('conflict', now, { expect: newTag() }),
        created: session('created', now, { expect: '' }),
        destroyed: session('destroyed', now),
        'gone-by-now': session('gone-by-now', now, { expect: tagOf('gone-by-now') }),
        missing: session('missing', now, { expect: newTag() }),
        new: session('new', now, { expect: '' }),
        'new-too': session('new-too', now),
        reborn: session('reborn', now, { expect: '' }),
        saved: session('saved', now, { expect: tagOf('saved') }),
        'to-destroy': tombstone('to-destroy', now),
        upserted: session('upserted', now),
      }
      const keys = Object.keys(batch)
      const before = await read(b, ...keys)
      const landing = ['new', 'new-too', 'reborn', 'saved', 'to-destroy', 'upserted']
      assert.deepEqual(await write(b, now, ...Object.values(batch)), landing)
      const after = new Map(before.map((row) => [row.key, row]))
      for (const key of landing) after.set(key, rowOf(batch[key]!))
      assert.deepEqual(
        await read(a, ...keys),
        keys.flatMap((key) => after.get(key) ?? []),
      )
    },
  },
  {
    id: 'driver/batch-of-256-lands',
    why: 'Under load, when calls travel together, saves fail or are lost.',
    async check({ a, b, now }) {
      const keys = manyKeys(256)
      const sessions = keys.map((key, i) => session(key, now, { user: i % 2 ? user('ann') : null }))
      await put(a, now, ...sessions)
      assert.deepEqual(await read(b, ...keys), sessions.map(rowOf))
      const updates = sessions.map(({ key, tag, user }, i) =>
        session(key, now, { user, expect: i % 3 ? tag : newTag() }),
      )
      assert.deepEqual(
        await write(b, now, ...updates),
        keys.filter((_, i) => i % 3),
      )
      assert.deepEqual(
        await read(a, ...keys),
        sessions.map((row, i) => rowOf(i % 3 ? updates[i]! : row)),
      )
    },
  },
  {
    id: 'driver/tags-are-compared-exactly',
    why: 'A save overwrites what another request saved meanwhile, unseen.',
    async check({ a, b, now }) {
      await put(a, now, session(KEY, now, { tag: 'Tag-1' }))
      for (const expect of ['tag-1', 'TAG-1', 'Tag-', 'Tag-11', 'Tag-1.0', '%', '*', '?'])
        assert.deepEqual(await write(b, now, session(KEY, now, { expect })), [], expect)
      await put(b, now, session(KEY, now, { expect: 'Tag-1' }))
    },
  },
  {
    id: 'driver/a-shorter-payload-replaces-a-longer-one',
    why: 'The end of an older session sticks to a newer one, which cannot be read any more.',
    async check({ a, b, now }) {
      for (const length of [100_000, 10, 1000, 1, 0, 10]) {
        const next = session(KEY, now, { data: 'x'.repeat(length) })
        await put(a, now, next)
        assert.deepEqual(await read(b, KEY), [rowOf(next)])
      }
    },
  },
  {
    id: 'driver/arguments-stay-as-they-are',
    why: 'What is sent again after a lost reply is not what was sent first.',
    async check({ a, now }) {
      const writes = [
        session('a', now, { expect: '' }),
        tombstone('b', now),
        session('c', now, { user: user('ann') }),
      ]
      const touches = [{ key: 'c', user: user('ann'), expiresAt: now + 2 * HOUR }]
      const keys = ['a', 'b', 'c']
      const before = structuredClone({ writes, touches, keys })
      await a.write(writes, now)
      await a.touch(touches, now)
      await a.read(keys)
      assert.deepEqual({ writes, touches, keys }, before)
    },
  },
  {
    id: 'driver/write-leaves-other-rows-alone',
    why: "One user's save or logout changes another user's session.",
    async check({ a, b, now }) {
      const bystanders = ['the', 'the-ke', 'the-key-', 'THE-KEY', 'the-kez'].map((key) => session(key, now))
      await put(a, now, ...bystanders)
      const keys = bystanders.map((row) => row.key)
      const before = await read(b, ...keys)
      await put(a, now, session(KEY, now))
      await write(a, now, session(KEY, now, { expect: newTag() }))
      await put(a, now, tombstone(KEY, now))
      assert.deepEqual(await read(b, ...keys), before)
    },
  },
]
