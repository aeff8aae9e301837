import assert from 'node:assert/strict'
import type { Write } from '@session-stores/core'
import {
  type DriverRule,
  HOUR,
  landAll,
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

/** Many writes in one call. */

export const batches: DriverRule[] = [
  {
    id: 'contract/batch/decides-each-row-alone',
    why: 'One refused save holds up the saves of other users that were sent along with it.',
    async check({ a, b, now }) {
      const names = ['conflict', 'created', 'ended', 'extended', 'gone-by-now', 'not-ended', 'saved', 'twice']
      const there = names.map((key) => session(key, now))
      const dead = ['destroyed', 'reborn'].map((key) => tombstone(key, now))
      await put(a, now, ...there, ...dead)
      const tagOf = (key: string) => [...there, ...dead].find((row) => row.key === key)!.tag
      await put(a, now, tombstone('gone-by-now', now))
      const later = now + 2 * HOUR
      const touches = ['extended', 'twice'].map((key) => ({ key, user: null, expiresAt: later }))
      await a.touch(touches, now)
      const batch: Record<string, Write> = {
        conflict: session('conflict', now, { expect: newTag() }),
        created: session('created', now),
        destroyed: session('destroyed', now),
        ended: tombstone('ended', now, { expect: tagOf('ended') }),
        extended: session('extended', now, { expect: tagOf('extended'), extend: true }),
        'gone-by-now': session('gone-by-now', now, { expect: tagOf('gone-by-now') }),
        missing: session('missing', now, { expect: newTag() }),
        new: session('new', now),
        'new-too': session('new-too', now, { extend: true }),
        'not-ended': tombstone('not-ended', now, { expect: newTag() }),
        reborn: session('reborn', now, { expect: tagOf('reborn') }),
        saved: session('saved', now, { expect: tagOf('saved') }),
        'to-destroy': tombstone('to-destroy', now),
        twice: there.find(({ key }) => key === 'twice')!,
      }
      const keys = Object.keys(batch)
      const before = await read(b, ...keys)
      const landing = ['ended', 'extended', 'new', 'new-too', 'reborn', 'saved', 'to-destroy', 'twice']
      assert.deepEqual(await write(b, now, ...Object.values(batch)), landing)
      const after = new Map(before.map((row) => [row.key, row]))
      for (const key of landing) after.set(key, rowOf(batch[key]!))
      for (const { key, expiresAt } of touches) after.set(key, { ...after.get(key)!, expiresAt })
      assert.deepEqual(
        await read(a, ...keys),
        keys.flatMap((key) => after.get(key) ?? []),
      )
    },
  },
  {
    id: 'contract/batch/of-256-extends-each-alone',
    why: 'Under load, when calls travel together, sessions get the deadlines of others.',
    async check({ a, b, now }) {
      const first = manyKeys(256).map((key, i) =>
        session(key, now, {
          user: i % 5 ? user('ann') : null,
          expiresAt: now + (i % 2 ? 2 : 6) * HOUR + i,
        }),
      )
      await put(a, now, ...first)
      const next = first.map(({ key, tag, user }, i) =>
        session(key, now, { user, expect: tag, extend: i % 3 > 0, expiresAt: now + 4 * HOUR + i }),
      )
      await landAll(b, now, ...next)
      assert.deepEqual(
        await read(a, ...next.map(({ key }) => key)),
        next.map((row, i) => ({
          ...rowOf(row),
          expiresAt: row.extend ? Math.max(row.expiresAt, first[i]!.expiresAt) : row.expiresAt,
        })),
      )
    },
  },
  {
    id: 'contract/batch/of-256-lands',
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
]
