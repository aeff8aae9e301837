import assert from 'node:assert/strict'
import type { Write } from '@session-stores/core'
import { HOUR } from '../common.ts'
import {
  type DriverRule,
  hashUser,
  landAll,
  makeKeys,
  makeSession,
  makeTag,
  makeTombstone,
  put,
  read,
  toRow,
  write,
} from './fixture.ts'

/** Rules about many writes in one call. */

export const batches: DriverRule[] = [
  {
    id: 'contract/batch/decides-each-row-alone',
    why: 'One refused save holds up the saves of other users that were sent along with it.',
    async check({ a, b, now }) {
      const names = ['conflict', 'created', 'ended', 'extended', 'gone-by-now', 'not-ended', 'saved', 'twice']
      const there = names.map((key) => makeSession(key, now))
      const dead = ['destroyed', 'reborn'].map((key) => makeTombstone(key, now))
      await put(a, now, ...there, ...dead)
      const tagOf = (key: string) => [...there, ...dead].find((row) => row.key === key)!.tag
      await put(a, now, makeTombstone('gone-by-now', now))
      const later = now + 2 * HOUR
      const touches = ['extended', 'twice'].map((key) => ({ key, user: null, expiresAt: later }))
      await a.touch(touches, now)
      const batch: Record<string, Write> = {
        conflict: makeSession('conflict', now, { expect: makeTag() }),
        created: makeSession('created', now),
        destroyed: makeSession('destroyed', now),
        ended: makeTombstone('ended', now, { expect: tagOf('ended') }),
        extended: makeSession('extended', now, { expect: tagOf('extended'), extend: true }),
        'gone-by-now': makeSession('gone-by-now', now, { expect: tagOf('gone-by-now') }),
        missing: makeSession('missing', now, { expect: makeTag() }),
        new: makeSession('new', now),
        'new-too': makeSession('new-too', now, { extend: true }),
        'not-ended': makeTombstone('not-ended', now, { expect: makeTag() }),
        reborn: makeSession('reborn', now, { expect: tagOf('reborn') }),
        saved: makeSession('saved', now, { expect: tagOf('saved') }),
        'to-destroy': makeTombstone('to-destroy', now),
        twice: there.find(({ key }) => key === 'twice')!,
      }
      const keys = Object.keys(batch)
      const before = await read(b, ...keys)
      const landing = ['ended', 'extended', 'new', 'new-too', 'reborn', 'saved', 'to-destroy', 'twice']
      assert.deepEqual(await write(b, now, ...Object.values(batch)), landing)
      const after = new Map(before.map((row) => [row.key, row]))
      for (const key of landing) after.set(key, toRow(batch[key]!))
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
      const first = makeKeys(256).map((key, i) =>
        makeSession(key, now, {
          user: i % 5 ? hashUser('ann') : null,
          expiresAt: now + (i % 2 ? 2 : 6) * HOUR + i,
        }),
      )
      await put(a, now, ...first)
      const next = first.map(({ key, tag, user }, i) =>
        makeSession(key, now, { user, expect: tag, extend: i % 3 > 0, expiresAt: now + 4 * HOUR + i }),
      )
      await landAll(b, now, ...next)
      assert.deepEqual(
        await read(a, ...next.map(({ key }) => key)),
        next.map((row, i) => ({
          ...toRow(row),
          expiresAt: row.extend ? Math.max(row.expiresAt, first[i]!.expiresAt) : row.expiresAt,
        })),
      )
    },
  },
  {
    id: 'contract/batch/of-256-lands',
    why: 'Under load, when calls travel together, saves fail or are lost.',
    async check({ a, b, now }) {
      const keys = makeKeys(256)
      const sessions = keys.map((key, i) => makeSession(key, now, { user: i % 2 ? hashUser('ann') : null }))
      await put(a, now, ...sessions)
      assert.deepEqual(await read(b, ...keys), sessions.map(toRow))
      const updates = sessions.map(({ key, tag, user }, i) =>
        makeSession(key, now, { user, expect: i % 3 ? tag : makeTag() }),
      )
      assert.deepEqual(
        await write(b, now, ...updates),
        keys.filter((_, i) => i % 3),
      )
      assert.deepEqual(
        await read(a, ...keys),
        sessions.map((row, i) => toRow(i % 3 ? updates[i]! : row)),
      )
    },
  },
]
