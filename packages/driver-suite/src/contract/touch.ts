import assert from 'node:assert/strict'
import { byKey, DAY, HOUR } from '../common.ts'
import {
  type DriverRule,
  hashUser,
  KEY,
  landAll,
  makeKeys,
  makeSession,
  makeTag,
  makeTombstone,
  put,
  read,
  readLive,
  toRow,
  write,
} from './fixture.ts'

export const touches: DriverRule[] = [
  {
    id: 'contract/touch/moves-the-deadline-later',
    why: 'A user who is active all the time is logged out when the first deadline comes.',
    async check({ a, b, now }) {
      const row = makeSession(KEY, now, { user: hashUser('ann') })
      await put(a, now, row)
      await a.touch([{ key: KEY, user: row.user, expiresAt: now + 5 * HOUR }], now)
      assert.deepEqual(await read(b, KEY), [{ ...toRow(row), expiresAt: now + 5 * HOUR }])
      assert.equal(await b.count(now + 4 * HOUR), 1, 'it lives past its first deadline')
    },
  },
  {
    id: 'contract/touch/moves-the-deadline-earlier',
    why: 'A session that is to end sooner, as a shortened cookie.maxAge asks, stays open.',
    async check({ a, b, now }) {
      const row = makeSession(KEY, now, { expiresAt: now + 9 * HOUR })
      await put(a, now, row)
      await a.touch([{ key: KEY, user: null, expiresAt: now + HOUR }], now)
      assert.deepEqual(await read(b, KEY), [{ ...toRow(row), expiresAt: now + HOUR }])
      assert.equal(await b.count(now + HOUR), 0, 'it is over at its new deadline')
    },
  },
  {
    id: 'contract/touch/into-the-past-ends-the-session',
    why: 'A session that is ended by its deadline stays open.',
    async check({ a, b, now }) {
      const rows = ['at-now', 'before-now', 'long-ago'].map((key) => makeSession(key, now))
      await put(a, now, ...rows)
      const deadlines = [now, now - HOUR, 0]
      await a.touch(
        rows.map(({ key }, i) => ({ key, user: null, expiresAt: deadlines[i]! })),
        now,
      )
      assert.deepEqual(await readLive(b, now, ...rows.map(({ key }) => key)), [])
      assert.equal(await b.count(now), 0)
      const late = rows.map(({ key, tag }) => makeSession(key, now, { expect: tag }))
      assert.deepEqual(await write(b, now, ...late), [], 'a late save does not land')
    },
  },
  {
    id: 'contract/touch/of-a-missing-row-creates-nothing',
    why: 'A request that ends after the logout leaves a session behind that nobody made.',
    async check({ a, b, now }) {
      await a.touch([{ key: KEY, user: hashUser('ann'), expiresAt: now + HOUR }], now)
      assert.deepEqual(await read(b, KEY), [])
      assert.equal(await b.count(now), 0)
      await a.touch([{ key: KEY, user: null, tag: makeTag(), expiresAt: now + HOUR }], now)
      assert.deepEqual(await read(b, KEY), [])
      await landAll(b, now, makeSession(KEY, now))
    },
  },
  {
    id: 'contract/touch/of-an-expired-row-revives-nothing',
    why: 'A session that had expired is open again.',
    async check({ a, b, now }) {
      const later = now + HOUR
      const rows = [makeSession('at-now', now), makeSession('before-now', now, { expiresAt: later - 1 })]
      await put(a, now, ...rows)
      for (const withTag of [false, true])
        await a.touch(
          rows.map(({ key, tag }) => ({ key, user: null, expiresAt: later + DAY, ...(withTag && { tag }) })),
          later,
        )
      assert.deepEqual(await readLive(b, later, 'at-now', 'before-now'), [])
      assert.equal(await b.count(later), 0)
      const late = rows.map(({ key, tag }) => makeSession(key, later, { expect: tag }))
      assert.deepEqual(await write(b, later, ...late), [])
    },
  },
  {
    id: 'contract/touch/leaves-a-tombstone-as-it-is',
    why: 'A request that ends after the logout shortens the time in which late saves are refused.',
    async check({ a, b, now }) {
      const dead = [makeTombstone('earlier', now), makeTombstone('later', now), makeTombstone('over', now)]
      await put(a, now, ...dead)
      const deadlines = [now + 1, now + DAY, now - HOUR]
      for (const withTag of [false, true])
        await a.touch(
          dead.map(({ key, tag }, i) => ({
            key,
            user: null,
            expiresAt: deadlines[i]!,
            ...(withTag && { tag }),
          })),
          now,
        )
      assert.deepEqual(await read(b, 'earlier', 'later', 'over'), dead.map(toRow))
    },
  },
  {
    id: 'contract/touch/of-an-expired-tombstone-revives-nothing',
    why: 'An id that was destroyed once can never be used again.',
    async check({ a, b, now }) {
      await put(a, now, makeTombstone(KEY, now))
      const later = now + HOUR
      await a.touch([{ key: KEY, user: null, expiresAt: later + DAY }], later)
      assert.deepEqual(await readLive(b, later, KEY), [])
      await landAll(b, later, makeSession(KEY, later))
    },
  },
  {
    id: 'contract/touch/update-lands-after-a-touch',
    why: 'A save is refused as a conflict only because another request touched the session.',
    async check({ a, b, now }) {
      const row = makeSession(KEY, now)
      await put(a, now, row)
      await b.touch([{ key: KEY, user: null, expiresAt: now + 2 * HOUR }], now)
      await landAll(a, now, makeSession(KEY, now, { expect: row.tag }))
    },
  },
  {
    id: 'contract/touch/with-an-older-tag-moves-nothing',
    why: 'A request that had read an older version undoes the longer life that a newer save gave the session.',
    async check({ a, b, now }) {
      const first = makeSession(KEY, now, { tag: 'Tag-1', user: hashUser('ann') })
      const second = makeSession(KEY, now, { tag: 'Tag-2', user: hashUser('ann'), expect: first.tag })
      await put(a, now, first)
      await put(b, now, { ...second, expiresAt: now + 3 * HOUR })
      const before = await read(b, KEY)
      for (const tag of [first.tag, 'tag-2', 'TAG-2', 'Tag-', 'Tag-22', '*', '%', makeTag()])
        for (const expiresAt of [now + 40 * DAY, now + 3 * HOUR + 1, now + 2 * HOUR, now, now - HOUR]) {
          await a.touch([{ key: KEY, user: hashUser('ann'), tag, expiresAt }], now)
          assert.deepEqual(await read(b, KEY), before, `a touch of ${tag}`)
        }
      assert.equal(await b.count(now + 3 * HOUR - 1), 1)
    },
  },
  {
    id: 'contract/touch/with-the-current-tag-moves',
    why: 'A user who is active all the time is logged out when the first deadline comes.',
    async check({ a, b, now }) {
      const row = makeSession(KEY, now, { user: hashUser('ann') })
      await put(a, now, row)
      for (const expiresAt of [now + 2 * HOUR, now + 40 * DAY, now + 3 * HOUR, now + HOUR + 1]) {
        await a.touch([{ key: KEY, user: row.user, tag: row.tag, expiresAt }], now)
        assert.deepEqual(await read(b, KEY), [{ ...toRow(row), expiresAt }])
      }
      const next = makeSession(KEY, now, { user: row.user, expect: row.tag })
      await landAll(b, now, next)
      await b.touch([{ key: KEY, user: row.user, tag: next.tag, expiresAt: now - HOUR }], now)
      assert.deepEqual(await readLive(a, now, KEY), [])
    },
  },
  {
    id: 'contract/touch/without-a-tag-moves-any-version',
    why: 'A user who is active all the time is logged out because another request saved.',
    async check({ a, b, now }) {
      const first = makeSession(KEY, now)
      await put(a, now, first)
      await put(b, now, makeSession(KEY, now, { expect: first.tag }))
      for (const tag of [{}, { tag: undefined }]) {
        const expiresAt = now + ('tag' in tag ? 5 : 9) * HOUR
        await a.touch([{ key: KEY, user: null, expiresAt, ...tag }], now)
        assert.equal((await read(b, KEY))[0]?.expiresAt, expiresAt)
      }
    },
  },
  {
    id: 'contract/touch/of-256-with-and-without-tags-moves-the-right-ones',
    why: 'Under load, when calls travel together, active users are logged out, or sessions live too long.',
    async check({ a, b, now }) {
      const first = makeKeys(256).map((key, i) =>
        makeSession(key, now, { user: i % 5 ? hashUser('ann') : null }),
      )
      await put(a, now, ...first)
      const rows = first.map(({ key, user, tag }) => makeSession(key, now, { user, expect: tag }))
      await put(a, now, ...rows)
      const dead = rows.filter((_, i) => i % 16 === 15).map(({ key }) => makeTombstone(key, now))
      await put(a, now, ...dead)
      const before = await read(a, ...rows.map(({ key }) => key))
      // A third of the touches have no tag, a third the current tag, and a third an older one.
      for (const deadlines of [1, 2, 256]) {
        const touches = rows.map(({ key, user, tag }, i) => ({
          key,
          user,
          expiresAt: now + (1 + deadlines) * HOUR + (i % deadlines),
          ...(i % 3 > 0 && { tag: i % 3 === 1 ? tag : first[i]!.tag }),
        }))
        await b.touch(touches, now)
        assert.deepEqual(
          await read(a, ...rows.map(({ key }) => key)),
          before.map((row, i) =>
            row.data === null || i % 3 === 2 ? row : { ...row, expiresAt: touches[i]!.expiresAt },
          ),
        )
      }
    },
  },
  {
    id: 'contract/touch/decides-each-row-alone',
    why: "One user's lapsed session keeps the sessions of others from being extended.",
    async check({ a, b, now }) {
      const later = now + HOUR
      const far = now + 2 * HOUR
      const alive = ['alive', 'alive-too', 'same', 'same-too'].map((key) =>
        makeSession(key, now, { expiresAt: far }),
      )
      const dead = makeTombstone('dead', now, { expiresAt: far })
      await put(a, now, ...alive, dead, makeSession('expired', now))
      const deadlines = [later + HOUR + 1, later + HOUR + 2, later + 3 * HOUR, later + 3 * HOUR]
      await a.touch(
        [
          ...alive.map(({ key }, i) => ({ key, user: null, expiresAt: deadlines[i]! })),
          ...['dead', 'expired', 'missing'].map((key) => ({ key, user: null, expiresAt: later + 3 * HOUR })),
        ].sort(byKey),
        later,
      )
      assert.deepEqual(
        await readLive(b, later, 'alive', 'alive-too', 'dead', 'expired', 'missing', 'same', 'same-too'),
        [
          { ...toRow(alive[0]!), expiresAt: deadlines[0] },
          { ...toRow(alive[1]!), expiresAt: deadlines[1] },
          toRow(dead),
          { ...toRow(alive[2]!), expiresAt: deadlines[2] },
          { ...toRow(alive[3]!), expiresAt: deadlines[3] },
        ],
      )
    },
  },
  {
    id: 'contract/touch/reaches-every-deadline',
    why: 'A session that is to live very long, or to end at once, ends at another time.',
    async check({ a, b, now }) {
      const row = makeSession(KEY, now)
      await put(a, now, row)
      for (const expiresAt of [8.64e15, now + HOUR, 8.64e15 - 1, now + DAY + 1]) {
        await a.touch([{ key: KEY, user: null, expiresAt }], now)
        assert.deepEqual(await read(b, KEY), [{ ...toRow(row), expiresAt }])
      }
      await a.touch([{ key: KEY, user: null, expiresAt: 1 }], now)
      assert.deepEqual(await readLive(b, now, KEY), [])
    },
  },
  {
    id: 'contract/touch/of-256-moves-each',
    why: 'Under load, when calls travel together, active users are logged out.',
    async check({ a, b, now }) {
      const rows = makeKeys(256).map((key, i) =>
        makeSession(key, now, { user: i % 2 ? hashUser('ann') : null }),
      )
      await put(a, now, ...rows)
      // There are few and then many different deadlines, because a driver may group equal ones.
      for (const deadlines of [2, 256]) {
        const moved = rows.map((row, i) => ({ ...toRow(row), expiresAt: now + 2 * HOUR + (i % deadlines) }))
        await a.touch(
          moved.map(({ key, user, expiresAt }) => ({ key, user, expiresAt })),
          now,
        )
        assert.deepEqual(await read(b, ...rows.map(({ key }) => key)), moved)
      }
    },
  },
]
