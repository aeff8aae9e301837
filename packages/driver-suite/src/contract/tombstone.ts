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

/** Rules about what a tombstone does, and when it ends. */

export const tombstones: DriverRule[] = [
  {
    id: 'contract/tombstone/is-stored-whole',
    why: 'A tombstone without its deadline refuses late saves for too short a time, or an id for ever.',
    async check({ a, b, now }) {
      const dead = makeTombstone(KEY, now + 1, { user: hashUser('ann'), expiresAt: now + 2 * HOUR })
      await put(a, now, makeSession(KEY, now, { user: hashUser('ann') }))
      await put(a, now + 1, dead)
      assert.deepEqual(await read(b, KEY), [toRow(dead)])
    },
  },
  {
    id: 'contract/tombstone/without-time-ends-the-session',
    why: 'With tombstones switched off, a logout leaves the session open.',
    async check({ a, b, now }) {
      const [first, second] = [makeSession('at-now', now), makeSession('before-now', now)]
      await put(a, now, first, second)
      await put(
        a,
        now,
        makeTombstone('at-now', now, { expiresAt: now }),
        makeTombstone('before-now', now, { expiresAt: now - HOUR }),
      )
      assert.deepEqual(await readLive(b, now, 'at-now', 'before-now'), [])
      const late = [first, second].map(({ key, tag }) => makeSession(key, now, { expect: tag }))
      assert.deepEqual(await write(b, now, ...late), [], 'a late save does not land')
      await landAll(b, now, makeSession('at-now', now), makeSession('before-now', now))
    },
  },
  {
    id: 'contract/tombstone/ends-with-its-deadline',
    why: 'An id that was destroyed once can never be used again.',
    async check({ a, b, now }) {
      await put(a, now, makeTombstone(KEY, now, { expiresAt: now + HOUR }))
      assert.deepEqual(await write(b, now + HOUR - 1, makeSession(KEY, now)), [])
      await landAll(b, now + HOUR, makeSession(KEY, now + HOUR))
    },
  },
  {
    id: 'contract/tombstone/is-final',
    why: 'A slow request that saves after the logout brings the session back.',
    async check({ a, b, now }) {
      const rows = ['always', 'on-its-tag'].map((key) => makeSession(key, now))
      await put(a, now, ...rows)
      const dead = rows.map(({ key, tag }, i) => makeTombstone(key, now, i ? { expect: tag } : {}))
      await landAll(a, now, ...dead)
      for (const { key, tag } of rows) {
        assert.deepEqual(await write(b, now, makeSession(key, now)), [], 'a create')
        for (const extend of [false, true])
          assert.deepEqual(
            await write(b, now, makeSession(key, now, { expect: tag, extend })),
            [],
            'an update',
          )
        await b.touch([{ key, tag, user: null, expiresAt: now + 9 * HOUR }], now)
      }
      assert.deepEqual(await read(b, 'always', 'on-its-tag'), dead.map(toRow))
      // A process that has read the tombstone knows its tag and may use the id again.
      const anew = dead.map(({ key, tag }) => makeSession(key, now, { expect: tag }))
      await landAll(b, now, ...anew)
      assert.deepEqual(await read(a, 'always', 'on-its-tag'), anew.map(toRow))
    },
  },
  {
    id: 'contract/tombstone/conditional-tombstone-without-time-ends-its-version-only',
    why: 'What was to end one version of a session logs out a user who has saved another since.',
    async check({ a, b, now }) {
      const rows = ['this-version', 'a-newer-one'].map((key) => makeSession(key, now))
      await put(a, now, ...rows)
      const ends = (key: string, expect: string) => makeTombstone(key, now, { expect, expiresAt: now })
      assert.deepEqual(await write(b, now, ends('a-newer-one', makeTag())), [])
      assert.deepEqual(await write(b, now, ends('missing', makeTag())), [])
      await landAll(b, now, ends('this-version', rows[0]!.tag))
      assert.deepEqual(await readLive(a, now, 'missing', 'this-version', 'a-newer-one'), [toRow(rows[1]!)])
      await landAll(a, now, makeSession('this-version', now))
    },
  },
]
