import assert from 'node:assert/strict'
import type { Write } from '@session-stores/core'
import { HOUR } from '../common.ts'
import {
  type DriverRule,
  hashUser,
  KEY,
  makeKeys,
  makeSession,
  makeTombstone,
  put,
  read,
  readLive,
  toRow,
  write,
} from './fixture.ts'
import { makeRaceRule } from './rounds.ts'

/** Rules about two processes that work on one session at once. */

export const races: DriverRule[] = [
  {
    id: 'contract/race/every-call-may-run-beside-any-other',
    why: 'Requests fail while an administrator looks at the sessions, or while another process starts.',
    async check({ a, b, now }) {
      const keys = makeKeys(30)
      const touches = keys.map((key) => ({ key, user: hashUser('ann'), expiresAt: now + 2 * HOUR }))
      const rounds = Array.from({ length: 10 }, () => [a, b]).flat()
      await Promise.all(
        rounds.flatMap((driver) => [
          write(driver, now, ...keys.map((key) => makeSession(key, now, { user: hashUser('ann') }))),
          read(driver, ...keys),
          driver.touch(touches, now),
          driver.list({ limit: 10 }),
          driver.list({ user: hashUser('ann'), limit: 10 }),
          driver.count(now),
          driver.prune(now, 10),
          driver.clear(),
          driver.setup(),
          driver.ping(),
        ]),
      )
      await a.clear()
      assert.equal(await b.count(now), 0)
    },
  },
  {
    id: 'contract/race/writes-are-seen-by-the-other-process-at-once',
    why: 'Behind a load balancer, a user who just logged in is asked to log in again.',
    async check({ a, b, now }) {
      const first = makeSession(KEY, now)
      await put(a, now, first)
      assert.deepEqual(await read(b, KEY), [toRow(first)])
      const second = makeSession(KEY, now, { expect: first.tag })
      await put(b, now, second)
      assert.deepEqual(await read(a, KEY), [toRow(second)])
      await a.touch([{ key: KEY, user: null, expiresAt: now + 2 * HOUR }], now)
      assert.equal((await read(b, KEY))[0]?.expiresAt, now + 2 * HOUR)
      await put(a, now, makeTombstone(KEY, now))
      assert.deepEqual(await write(b, now, makeSession(KEY, now, { expect: second.tag })), [])
      assert.equal(await b.count(now), 0)
    },
  },
  makeRaceRule(
    'one-of-two-creates-lands',
    'Two logins with one id overwrite each other unseen.',
    async ({ a, b, key, now, both }) => {
      const [one, other] = [makeSession(key, now), makeSession(key, now)]
      const [first, second] = await both(
        () => write(a, now, one),
        () => write(b, now, other),
      )
      assert.deepEqual([...first, ...second], [key], 'exactly one lands')
      assert.deepEqual(await read(a, key), [toRow(first.length ? one : other)])
    },
  ),
  makeRaceRule(
    'one-of-two-updates-lands',
    'Two requests overwrite what the other saved, unseen.',
    async ({ a, b, key, now, both }) => {
      const before = makeSession(key, now)
      await put(a, now, before)
      const [one, other] = [
        makeSession(key, now, { expect: before.tag }),
        makeSession(key, now, { expect: before.tag }),
      ]
      const [first, second] = await both(
        () => write(a, now, one),
        () => write(b, now, other),
      )
      assert.deepEqual([...first, ...second], [key], 'exactly one lands')
      assert.deepEqual(await read(b, key), [toRow(first.length ? one : other)])
    },
  ),
  makeRaceRule(
    'both-of-two-tombstones-land',
    'A logout fails because of another one.',
    async ({ a, b, key, now, both }) => {
      await put(a, now, makeSession(key, now))
      const [one, other] = [makeTombstone(key, now), makeTombstone(key, now)]
      const landed = await both(
        () => write(a, now, one),
        () => write(b, now, other),
      )
      assert.deepEqual(landed, [[key], [key]])
      const [row] = await read(a, key)
      assert.deepEqual(row, toRow(row?.tag === one.tag ? one : other), 'one of the two, whole')
    },
  ),
  makeRaceRule(
    'both-of-two-resends-land',
    'A call sent again before its first try was done is reported as a conflict.',
    async ({ a, b, key, now, both }) => {
      const twice = makeSession(key, now)
      const landed = await both(
        () => write(a, now, twice),
        () => write(b, now, twice),
      )
      assert.deepEqual(landed, [[key], [key]])
      assert.deepEqual(await read(a, key), [toRow(twice)])
    },
  ),
  makeRaceRule(
    'destroy-beside-an-update-is-final',
    'A request that saves during the logout keeps the session open.',
    async ({ a, b, key, now, both }) => {
      const before = makeSession(key, now)
      await put(a, now, before)
      const dead = makeTombstone(key, now)
      const [destroyed] = await both(
        () => write(a, now, dead),
        () => write(b, now, makeSession(key, now, { expect: before.tag })),
      )
      assert.deepEqual(destroyed, [key])
      assert.deepEqual(await read(b, key), [toRow(dead)])
    },
  ),
  makeRaceRule(
    'conditional-destroy-beside-an-update-decides-for-one',
    'What was to end one version of a session logs out a user who has saved another meanwhile.',
    async ({ a, b, key, now, both }) => {
      const before = makeSession(key, now)
      await put(a, now, before)
      const dead = makeTombstone(key, now, { expect: before.tag })
      const next = makeSession(key, now, { expect: before.tag })
      const [first, second] = await both(
        () => write(a, now, dead),
        () => write(b, now, next),
      )
      assert.deepEqual([...first, ...second], [key], 'exactly one lands')
      assert.deepEqual(await read(b, key), [toRow(first.length ? dead : next)])
    },
  ),
  makeRaceRule(
    'destroy-beside-a-create-is-final',
    'A request that saves during the logout keeps the session open.',
    async ({ a, b, key, now, both }) => {
      const dead = makeTombstone(key, now)
      await both(
        () => write(a, now, dead),
        () => write(b, now, makeSession(key, now)),
      )
      assert.deepEqual(await read(b, key), [toRow(dead)])
    },
  ),
  makeRaceRule(
    'destroy-beside-a-touch-is-final',
    'A request that ends during the logout keeps the session open.',
    async ({ a, b, key, now, both }) => {
      await put(a, now, makeSession(key, now))
      const dead = makeTombstone(key, now)
      await both(
        () => write(a, now, dead),
        () => b.touch([{ key, user: null, expiresAt: now + 2 * HOUR }], now),
      )
      assert.deepEqual(await read(b, key), [toRow(dead)])
    },
  ),
  makeRaceRule(
    'touch-beside-an-update-loses-nothing',
    'What a request saved is lost to another that only touched.',
    async ({ a, b, key, now, both }) => {
      const before = makeSession(key, now, { user: hashUser('ann') })
      await put(a, now, before)
      const next = makeSession(key, now, { expect: before.tag, user: hashUser('bob') })
      const touched = now + 2 * HOUR
      const [landed] = await both(
        () => write(a, now, next),
        () => b.touch([{ key, user: before.user, expiresAt: touched }], now),
      )
      assert.deepEqual(landed, [key], 'a touch is no conflict')
      const [row] = await read(b, key)
      assert.ok(row)
      assert.ok([next.expiresAt, touched].includes(row.expiresAt), 'the deadline is that of one of them')
      assert.deepEqual({ ...row, expiresAt: next.expiresAt }, toRow(next))
    },
  ),
  makeRaceRule(
    'extend-beside-a-touch-keeps-the-later-deadline',
    'A request that saves brings back the deadline that another request moved on at the same time.',
    async ({ a, b, key, now, both }) => {
      const before = makeSession(key, now)
      await put(a, now, before)
      const next = makeSession(key, now, { expect: before.tag, extend: true })
      const touched = now + 2 * HOUR
      const [landed] = await both(
        () => write(a, now, next),
        () => b.touch([{ key, user: null, expiresAt: touched }], now),
      )
      assert.deepEqual(landed, [key], 'a touch is no conflict')
      assert.deepEqual(await read(b, key), [{ ...toRow(next), expiresAt: touched }])
    },
  ),
  makeRaceRule(
    'touch-with-a-tag-beside-an-update-leaves-its-deadline',
    'A request that only touches brings back the longer life that another one just saved.',
    async ({ a, b, key, now, both }) => {
      const before = makeSession(key, now, { user: hashUser('ann') })
      await put(a, now, before)
      const next = makeSession(key, now, {
        expect: before.tag,
        user: hashUser('ann'),
        expiresAt: now + 40 * 24 * HOUR,
      })
      const [landed] = await both(
        () => write(a, now, next),
        () => b.touch([{ key, user: before.user, tag: before.tag, expiresAt: now + 2 * HOUR }], now),
      )
      assert.deepEqual(landed, [key], 'a touch is no conflict')
      assert.deepEqual(await read(b, key), [toRow(next)])
    },
  ),
  {
    id: 'contract/race/batches-with-common-rows-never-fail',
    why: 'Under load, saves of different processes wait for each other until the database ends them.',
    async check({ a, b, now }) {
      const keys = makeKeys(60)
      const first = keys.map((key) => makeSession(key, now))
      await put(a, now, ...first)
      const landed = new Map<string, Write>(first.map((row) => [row.tag, row]))
      await Promise.all(
        Array.from({ length: 40 }, async (_, i) => {
          const driver = i % 2 ? a : b
          const some = keys.filter((_, k) => (k * 7 + i) % 3)
          const owner = (k: number) => hashUser(k % 2 ? 'ann' : 'bob')
          const batch =
            i % 8 === 0
              ? some.map((key, k) => makeTombstone(key, now, { user: owner(k) }))
              : (await read(driver, ...some)).map(({ key, tag }, k) =>
                  makeSession(key, now, { user: owner(k), expect: tag }),
                )
          const keysLanded = new Set(await write(driver, now, ...batch))
          for (const row of batch)
            if (keysLanded.has(row.key)) landed.set(row.tag, row)
            else assert.notEqual(row.data, null, 'a tombstone lands')
          await driver.touch(
            some.map((key) => ({ key, user: hashUser('ann'), expiresAt: now + HOUR })),
            now,
          )
          await driver.prune(now, 10)
        }),
      )
      const rows = await readLive(a, now, ...keys)
      assert.equal(rows.length, keys.length)
      for (const row of rows) assert.deepEqual(row, toRow(landed.get(row.tag)!), 'one of the writes, whole')
    },
  },
]
