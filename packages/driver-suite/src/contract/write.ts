import assert from 'node:assert/strict'
import type { Driver, Write } from '@session-stores/core'
import {
  DAY,
  type DriverRule,
  HOUR,
  landAll,
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

/** What is sent twice: `expects` says what must be there before the first time. */
const twice: Record<string, { expects: 'nothing' | 'row' | 'no row'; extend?: true; data?: null }> = {
  create: { expects: 'no row' },
  update: { expects: 'row' },
  'extending-update': { expects: 'row', extend: true },
  tombstone: { expects: 'nothing', data: null },
  'conditional-tombstone': { expects: 'row', data: null },
}

/** Puts there what the write expects, and returns the write. */
async function prepare(
  driver: Driver,
  now: number,
  { expects, ...more }: (typeof twice)[string],
): Promise<Write> {
  if (expects === 'no row') return session(KEY, now, more)
  const before = session(KEY, now - 1)
  await put(driver, now - 1, before)
  return session(KEY, now, { ...more, expect: expects === 'row' ? before.tag : undefined })
}

export const writes: DriverRule[] = [
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
    id: 'driver/created-at-is-kept-by-an-extending-update',
    why: 'A session that is saved again and again never reaches its absolute timeout.',
    async check({ a, b, now }) {
      const first = session(KEY, now)
      const second = session(KEY, now + 1, { expect: first.tag, extend: true })
      await landAll(a, now, first)
      await landAll(b, now + 1, second)
      await landAll(a, now + 2, session(KEY, now + 2, { expect: second.tag, extend: true }))
      assert.equal((await read(b, KEY))[0]?.createdAt, now)
    },
  },
  {
    id: 'driver/created-at-is-renewed-after-expiry',
    why: 'A new session inherits the age of an expired one, and the absolute timeout ends it early.',
    async check({ a, b, now }) {
      await put(a, now, session(KEY, now))
      const later = now + 2 * HOUR
      await landAll(b, later, session(KEY, later))
      assert.equal((await read(a, KEY))[0]?.createdAt, later)
    },
  },
  {
    id: 'driver/created-at-is-renewed-after-a-tombstone',
    why: 'A new session inherits the age of a destroyed one, and the absolute timeout ends it early.',
    async check({ a, b, now }) {
      const dead = tombstone('stands', now, { expiresAt: now + 3 * HOUR })
      await put(a, now, dead, tombstone('is-over', now))
      const later = now + HOUR
      await landAll(b, later, session('is-over', later), session('stands', later, { expect: dead.tag }))
      const ages = (await read(a, 'is-over', 'stands')).map((row) => row.createdAt)
      assert.deepEqual(ages, [later, later])
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
      for (const expiresAt of [now + 5 * HOUR, now + HOUR, now + 9 * HOUR + 1])
        for (const extend of [undefined, false]) {
          await put(a, now, session(KEY, now, { expiresAt, extend }))
          assert.equal((await read(b, KEY))[0]?.expiresAt, expiresAt)
          await a.touch([{ key: KEY, user: null, expiresAt: now + 7 * HOUR }], now)
        }
    },
  },
  {
    id: 'driver/extend-keeps-a-later-deadline',
    why: 'A request that ran for long saves, and the session ends although others used it meanwhile.',
    async check({ a, b, now }) {
      const first = session(KEY, now, { user: user('ann') })
      await put(a, now, first)
      const touched = now + 9 * HOUR
      await b.touch([{ key: KEY, user: first.user, expiresAt: touched }], now)
      // The save has a deadline to come, and one that is past by now.
      let expect = first.tag
      for (const expiresAt of [now + 5 * HOUR, now + HOUR]) {
        const later = now + 2 * HOUR
        const next = session(KEY, later, { user: first.user, expect, extend: true, expiresAt })
        await landAll(a, later, next)
        assert.deepEqual(await read(b, KEY), [{ ...rowOf(next), createdAt: now, expiresAt: touched }])
        expect = next.tag
      }
      assert.equal(await b.count(touched - 1), 1)
      assert.equal(await a.count(touched), 0)
    },
  },
  {
    id: 'driver/extend-moves-the-deadline-later',
    why: 'A user who is active all the time is logged out when the first deadline comes.',
    async check({ a, b, now }) {
      const first = session(KEY, now)
      const next = session(KEY, now, { expect: first.tag, extend: true, expiresAt: now + 40 * DAY })
      await put(a, now, first)
      await landAll(a, now, next)
      assert.deepEqual(await read(b, KEY), [rowOf(next)])
      assert.equal(await b.count(now + 39 * DAY), 1)
    },
  },
  {
    id: 'driver/extend-is-decided-as-every-write',
    why: 'A slow request brings back a session that was revoked, or overwrites what another one saved.',
    async check({ a, b, now }) {
      const there = session('there', now, { expiresAt: now + 3 * HOUR })
      const dead = tombstone('dead', now, { expiresAt: now + 3 * HOUR })
      await put(a, now, there, dead, session('over', now))
      const keys = ['dead', 'missing', 'over', 'there']
      const later = now + HOUR
      const before = await live(b, later, ...keys)
      const extending = (key: string, expect: string) => session(key, later, { expect, extend: true })
      for (const key of keys)
        assert.deepEqual(await write(a, later, extending(key, newTag())), [], `an update of ${key}`)
      for (const { key } of [there, dead])
        assert.deepEqual(await write(a, later, extending(key, '')), [], `a create of ${key}`)
      assert.deepEqual(await live(b, later, ...keys), before)
    },
  },
  {
    id: 'driver/extend-over-a-tombstone-inherits-nothing',
    why: 'A session that was created anew after a logout lives for as long as late saves are refused.',
    async check({ a, b, now }) {
      const dead = tombstone(KEY, now, { expiresAt: now + 9 * HOUR })
      await put(a, now, dead)
      const next = session(KEY, now + 1, { expect: dead.tag, extend: true })
      await landAll(b, now + 1, next)
      assert.deepEqual(await read(a, KEY), [rowOf(next)])
    },
  },
  {
    id: 'driver/extend-over-an-expired-row-inherits-nothing',
    why: 'A new session inherits the age or the deadline of an expired one.',
    async check({ a, b, now }) {
      await put(a, now, session('session', now), tombstone('tombstone', now))
      const later = now + HOUR
      const next = ['session', 'tombstone'].map((key) => session(key, later, { extend: true }))
      await landAll(b, later, ...next)
      assert.deepEqual(await read(a, 'session', 'tombstone'), next.map(rowOf))
    },
  },
  {
    id: 'driver/extend-keeps-nothing-for-a-tombstone',
    why: 'An id that was destroyed cannot be used again for as long as its session would have lived.',
    async check({ a, b, now }) {
      const rows = ['at-once', 'for-an-hour'].map((key) => session(key, now, { expiresAt: now + 9 * HOUR }))
      await put(a, now, ...rows)
      const dead = rows.map(({ key, tag }, i) =>
        tombstone(key, now, { expect: tag, extend: true, expiresAt: now + i * HOUR }),
      )
      await landAll(b, now, ...dead)
      assert.deepEqual(await live(a, now, 'at-once', 'for-an-hour'), [rowOf(dead[1]!)])
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
      await landAll(b, now, session('at-now', now), session('before-now', now))
    },
  },
  {
    id: 'driver/tombstone-ends-with-its-deadline',
    why: 'An id that was destroyed once can never be used again.',
    async check({ a, b, now }) {
      await put(a, now, tombstone(KEY, now, { expiresAt: now + HOUR }))
      assert.deepEqual(await write(b, now + HOUR - 1, session(KEY, now)), [])
      await landAll(b, now + HOUR, session(KEY, now + HOUR))
    },
  },
  {
    id: 'driver/tombstone-is-final',
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
    id: 'driver/conditional-tombstone-without-time-ends-its-version-only',
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
  ...Object.entries(twice).map(
    ([verb, kind]): DriverRule => ({
      id: `driver/${verb}-sent-twice-changes-nothing`,
      why: 'A call sent again after a lost reply is reported as a conflict, or changes what it wrote.',
      async check({ a, b, now }) {
        const again = await prepare(a, now, kind)
        await landAll(a, now, again)
        const once = await read(b, KEY)
        await landAll(b, now + 1, again)
        assert.deepEqual(await read(a, KEY), once)
      },
    }),
  ),
  ...Object.entries(twice)
    .filter(([, { data }]) => data !== null)
    .map(
      ([verb, kind]): DriverRule => ({
        id: `driver/${verb}-sent-twice-leaves-a-touched-deadline`,
        why: 'A save sent again after a lost reply undoes how another request extended or ended the session.',
        async check({ a, b, now }) {
          const again = await prepare(a, now, kind)
          await landAll(a, now, again)
          for (const expiresAt of [now + 9 * HOUR, now + HOUR / 2]) {
            await b.touch([{ key: KEY, user: null, expiresAt }], now)
            const touched = await read(b, KEY)
            assert.equal(touched[0]?.expiresAt, expiresAt)
            await landAll(a, now + 1, again)
            assert.deepEqual(await read(b, KEY), touched)
          }
        },
      }),
    ),
  ...Object.entries(twice)
    .filter(([, { expects }]) => expects !== 'nothing')
    .map(
      ([verb, kind]): DriverRule => ({
        id: `driver/${verb}-sent-twice-leaves-what-another-wrote`,
        why: 'A write sent again after a lost reply overwrites what another request saved meanwhile.',
        async check({ a, b, now }) {
          const again = await prepare(a, now, kind)
          await landAll(a, now, again)
          const next = session(KEY, now + 1, { expect: again.tag })
          await landAll(b, now + 1, next)
          const saved = await read(b, KEY)
          assert.deepEqual(await write(a, now + 2, again), [], 'it is refused')
          assert.deepEqual(await read(b, KEY), saved)
          await landAll(b, now + 3, tombstone(KEY, now + 3))
          const destroyed = await read(b, KEY)
          assert.deepEqual(await write(a, now + 4, again), [], 'it is refused after the logout')
          assert.deepEqual(await read(b, KEY), destroyed)
        },
      }),
    ),
  {
    id: 'driver/batch-decides-each-row-alone',
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
    id: 'driver/batch-of-256-extends-each-alone',
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
        session('a', now),
        tombstone('b', now),
        session('c', now, { user: user('ann'), extend: true }),
      ]
      const touches = [{ key: 'c', user: user('ann'), expiresAt: now + 2 * HOUR, tag: writes[2]!.tag }]
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
