import assert from 'node:assert/strict'
import { DAY, HOUR } from '../common.ts'
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

/** Rules about writes with `extend`, which never move a deadline back. */

export const extensions: DriverRule[] = [
  {
    id: 'contract/extend/keeps-a-later-deadline',
    why: 'A request that ran for long saves, and the session ends although others used it meanwhile.',
    async check({ a, b, now }) {
      const first = makeSession(KEY, now, { user: hashUser('ann') })
      await put(a, now, first)
      const touched = now + 9 * HOUR
      await b.touch([{ key: KEY, user: first.user, expiresAt: touched }], now)
      // One save has a future deadline, and the other has a deadline in the past.
      let expect = first.tag
      for (const expiresAt of [now + 5 * HOUR, now + HOUR]) {
        const later = now + 2 * HOUR
        const next = makeSession(KEY, later, { user: first.user, expect, extend: true, expiresAt })
        await landAll(a, later, next)
        assert.deepEqual(await read(b, KEY), [{ ...toRow(next), createdAt: now, expiresAt: touched }])
        expect = next.tag
      }
      assert.equal(await b.count(touched - 1), 1)
      assert.equal(await a.count(touched), 0)
    },
  },
  {
    id: 'contract/extend/moves-the-deadline-later',
    why: 'A user who is active all the time is logged out when the first deadline comes.',
    async check({ a, b, now }) {
      const first = makeSession(KEY, now)
      const next = makeSession(KEY, now, { expect: first.tag, extend: true, expiresAt: now + 40 * DAY })
      await put(a, now, first)
      await landAll(a, now, next)
      assert.deepEqual(await read(b, KEY), [toRow(next)])
      assert.equal(await b.count(now + 39 * DAY), 1)
    },
  },
  {
    id: 'contract/extend/is-decided-as-every-write',
    why: 'A slow request brings back a session that was revoked, or overwrites what another one saved.',
    async check({ a, b, now }) {
      const there = makeSession('there', now, { expiresAt: now + 3 * HOUR })
      const dead = makeTombstone('dead', now, { expiresAt: now + 3 * HOUR })
      await put(a, now, there, dead, makeSession('over', now))
      const keys = ['dead', 'missing', 'over', 'there']
      const later = now + HOUR
      const before = await readLive(b, later, ...keys)
      const extending = (key: string, expect: string) => makeSession(key, later, { expect, extend: true })
      for (const key of keys)
        assert.deepEqual(await write(a, later, extending(key, makeTag())), [], `an update of ${key}`)
      for (const { key } of [there, dead])
        assert.deepEqual(await write(a, later, extending(key, '')), [], `a create of ${key}`)
      assert.deepEqual(await readLive(b, later, ...keys), before)
    },
  },
  {
    id: 'contract/extend/over-a-tombstone-inherits-nothing',
    why: 'A session that was created anew after a logout lives for as long as late saves are refused.',
    async check({ a, b, now }) {
      const dead = makeTombstone(KEY, now, { expiresAt: now + 9 * HOUR })
      await put(a, now, dead)
      const next = makeSession(KEY, now + 1, { expect: dead.tag, extend: true })
      await landAll(b, now + 1, next)
      assert.deepEqual(await read(a, KEY), [toRow(next)])
    },
  },
  {
    id: 'contract/extend/over-an-expired-row-inherits-nothing',
    why: 'A new session inherits the age or the deadline of an expired one.',
    async check({ a, b, now }) {
      await put(a, now, makeSession('session', now), makeTombstone('tombstone', now))
      const later = now + HOUR
      const next = ['session', 'tombstone'].map((key) => makeSession(key, later, { extend: true }))
      await landAll(b, later, ...next)
      assert.deepEqual(await read(a, 'session', 'tombstone'), next.map(toRow))
    },
  },
  {
    id: 'contract/extend/keeps-nothing-for-a-tombstone',
    why: 'An id that was destroyed cannot be used again for as long as its session would have lived.',
    async check({ a, b, now }) {
      const rows = ['at-once', 'for-an-hour'].map((key) =>
        makeSession(key, now, { expiresAt: now + 9 * HOUR }),
      )
      await put(a, now, ...rows)
      const dead = rows.map(({ key, tag }, i) =>
        makeTombstone(key, now, { expect: tag, extend: true, expiresAt: now + i * HOUR }),
      )
      await landAll(b, now, ...dead)
      assert.deepEqual(await readLive(a, now, 'at-once', 'for-an-hour'), [toRow(dead[1]!)])
    },
  },
]
