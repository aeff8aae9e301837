import assert from 'node:assert/strict'
import {
  type DriverRule,
  HOUR,
  landAll,
  live,
  newTag,
  put,
  read,
  rowOf,
  session,
  tombstone,
  user,
  write,
} from './fixture.ts'

/** What a tombstone is, and when it ends. */

const KEY = 'the-key'

export const tombstones: DriverRule[] = [
  {
    id: 'contract/tombstone/is-stored-whole',
    why: 'A tombstone without its deadline refuses late saves for too short a time, or an id for ever.',
    async check({ a, b, now }) {
      const dead = tombstone(KEY, now + 1, { user: user('ann'), expiresAt: now + 2 * HOUR })
      await put(a, now, session(KEY, now, { user: user('ann') }))
      await put(a, now + 1, dead)
      assert.deepEqual(await read(b, KEY), [rowOf(dead)])
    },
  },
  {
    id: 'contract/tombstone/without-time-ends-the-session',
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
      await landAll(b, now, session('at-now', now), session('before-now', now))
    },
  },
  {
    id: 'contract/tombstone/ends-with-its-deadline',
    why: 'An id that was destroyed once can never be used again.',
    async check({ a, b, now }) {
      await put(a, now, tombstone(KEY, now, { expiresAt: now + HOUR }))
      assert.deepEqual(await write(b, now + HOUR - 1, session(KEY, now)), [])
      await landAll(b, now + HOUR, session(KEY, now + HOUR))
    },
  },
  {
    id: 'contract/tombstone/is-final',
    why: 'A slow request that saves after the logout brings the session back.',
    async check({ a, b, now }) {
      const rows = ['always', 'on-its-tag'].map((key) => session(key, now))
      await put(a, now, ...rows)
      const dead = rows.map(({ key, tag }, i) => tombstone(key, now, i ? { expect: tag } : {}))
      await landAll(a, now, ...dead)
      for (const { key, tag } of rows) {
        assert.deepEqual(await write(b, now, session(key, now)), [], 'a create')
        for (const extend of [false, true])
          assert.deepEqual(await write(b, now, session(key, now, { expect: tag, extend })), [], 'an update')
        await b.touch([{ key, tag, user: null, expiresAt: now + 9 * HOUR }], now)
      }
      assert.deepEqual(await read(b, 'always', 'on-its-tag'), dead.map(rowOf))
      // Who has seen the tombstone creates the id anew.
      const anew = dead.map(({ key, tag }) => session(key, now, { expect: tag }))
      await landAll(b, now, ...anew)
      assert.deepEqual(await read(a, 'always', 'on-its-tag'), anew.map(rowOf))
    },
  },
  {
    id: 'contract/tombstone/conditional-tombstone-without-time-ends-its-version-only',
    why: 'What was to end one version of a session logs out a user who has saved another since.',
    async check({ a, b, now }) {
      const rows = ['this-version', 'a-newer-one'].map((key) => session(key, now))
      await put(a, now, ...rows)
      const ends = (key: string, expect: string) => tombstone(key, now, { expect, expiresAt: now })
      assert.deepEqual(await write(b, now, ends('a-newer-one', newTag())), [])
      assert.deepEqual(await write(b, now, ends('missing', newTag())), [])
      await landAll(b, now, ends('this-version', rows[0]!.tag))
      assert.deepEqual(await live(a, now, 'missing', 'this-version', 'a-newer-one'), [rowOf(rows[1]!)])
      await landAll(a, now, session('this-version', now))
    },
  },
]
