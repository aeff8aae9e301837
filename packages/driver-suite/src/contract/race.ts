import assert from 'node:assert/strict'
import type { Awaitable, Driver, Write } from '@session-stores/core'
import {
  type DriverRule,
  HOUR,
  live,
  manyKeys,
  put,
  read,
  rowOf,
  session,
  tombstone,
  user,
  write,
} from './fixture.ts'

/** Two processes on one session at once. */

const ROUNDS = 100

interface Round {
  a: Driver
  b: Driver
  /** Of this round alone. */
  key: string
  now: number
  /** Makes both calls at once; which one is sent first changes from round to round. */
  both<One, Other>(one: () => Awaitable<One>, other: () => Awaitable<Other>): Promise<[One, Other]>
}

/** A rule that is tried often; the drivers, too, take turns. */
function raced(id: string, why: string, round: (round: Round) => Promise<void>): DriverRule {
  return {
    id: `contract/race/${id}`,
    why,
    async check({ a, b, now }) {
      for (const [i, key] of manyKeys(ROUNDS).entries()) {
        const both: Round['both'] = async (one, other) => {
          if (i % 4 < 2) return Promise.all([one(), other()])
          const [second, first] = await Promise.all([other(), one()])
          return [first, second]
        }
        await round(i % 2 ? { a, b, key, now, both } : { a: b, b: a, key, now, both })
      }
    },
  }
}

export const races: DriverRule[] = [
  {
    id: 'contract/race/every-call-may-run-beside-any-other',
    why: 'Requests fail while an administrator looks at the sessions, or while another process starts.',
    async check({ a, b, now }) {
      const keys = manyKeys(30)
      const touches = keys.map((key) => ({ key, user: user('ann'), expiresAt: now + 2 * HOUR }))
      const rounds = Array.from({ length: 10 }, () => [a, b]).flat()
      await Promise.all(
        rounds.flatMap((driver) => [
          write(driver, now, ...keys.map((key) => session(key, now, { user: user('ann') }))),
          read(driver, ...keys),
          driver.touch(touches, now),
          driver.list({ limit: 10 }),
          driver.list({ user: user('ann'), limit: 10 }),
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
      const first = session('the-key', now)
      await put(a, now, first)
      assert.deepEqual(await read(b, 'the-key'), [rowOf(first)])
      const second = session('the-key', now, { expect: first.tag })
      await put(b, now, second)
      assert.deepEqual(await read(a, 'the-key'), [rowOf(second)])
      await a.touch([{ key: 'the-key', user: null, expiresAt: now + 2 * HOUR }], now)
      assert.equal((await read(b, 'the-key'))[0]?.expiresAt, now + 2 * HOUR)
      await put(a, now, tombstone('the-key', now))
      assert.deepEqual(await write(b, now, session('the-key', now, { expect: second.tag })), [])
      assert.equal(await b.count(now), 0)
    },
  },
  raced(
    'one-of-two-creates-lands',
    'Two logins with one id overwrite each other unseen.',
    async ({ a, b, key, now, both }) => {
      const [one, other] = [session(key, now), session(key, now)]
      const [first, second] = await both(
        () => write(a, now, one),
        () => write(b, now, other),
      )
      assert.deepEqual([...first, ...second], [key], 'exactly one lands')
      assert.deepEqual(await read(a, key), [rowOf(first.length ? one : other)])
    },
  ),
  raced(
    'one-of-two-updates-lands',
    'Two requests overwrite what the other saved, unseen.',
    async ({ a, b, key, now, both }) => {
      const before = session(key, now)
      await put(a, now, before)
      const [one, other] = [
        session(key, now, { expect: before.tag }),
        session(key, now, { expect: before.tag }),
      ]
      const [first, second] = await both(
        () => write(a, now, one),
        () => write(b, now, other),
      )
      assert.deepEqual([...first, ...second], [key], 'exactly one lands')
      assert.deepEqual(await read(b, key), [rowOf(first.length ? one : other)])
    },
  ),
  raced(
    'both-of-two-tombstones-land',
    'A logout fails because of another one.',
    async ({ a, b, key, now, both }) => {
      await put(a, now, session(key, now))
      const [one, other] = [tombstone(key, now), tombstone(key, now)]
      const landed = await both(
        () => write(a, now, one),
        () => write(b, now, other),
      )
      assert.deepEqual(landed, [[key], [key]])
      const [row] = await read(a, key)
      assert.deepEqual(row, rowOf(row?.tag === one.tag ? one : other), 'one of the two, whole')
    },
  ),
  raced(
    'both-of-two-resends-land',
    'A call sent again before its first try was done is reported as a conflict.',
    async ({ a, b, key, now, both }) => {
      const twice = session(key, now)
      const landed = await both(
        () => write(a, now, twice),
        () => write(b, now, twice),
      )
      assert.deepEqual(landed, [[key], [key]])
      assert.deepEqual(await read(a, key), [rowOf(twice)])
    },
  ),
  raced(
    'destroy-beside-an-update-is-final',
    'A request that saves during the logout keeps the session open.',
    async ({ a, b, key, now, both }) => {
      const before = session(key, now)
      await put(a, now, before)
      const dead = tombstone(key, now)
      const [destroyed] = await both(
        () => write(a, now, dead),
        () => write(b, now, session(key, now, { expect: before.tag })),
      )
      assert.deepEqual(destroyed, [key])
      assert.deepEqual(await read(b, key), [rowOf(dead)])
    },
  ),
  raced(
    'conditional-destroy-beside-an-update-decides-for-one',
    'What was to end one version of a session logs out a user who has saved another meanwhile.',
    async ({ a, b, key, now, both }) => {
      const before = session(key, now)
      await put(a, now, before)
      const dead = tombstone(key, now, { expect: before.tag })
      const next = session(key, now, { expect: before.tag })
      const [first, second] = await both(
        () => write(a, now, dead),
        () => write(b, now, next),
      )
      assert.deepEqual([...first, ...second], [key], 'exactly one lands')
      assert.deepEqual(await read(b, key), [rowOf(first.length ? dead : next)])
    },
  ),
  raced(
    'destroy-beside-a-create-is-final',
    'A request that saves during the logout keeps the session open.',
    async ({ a, b, key, now, both }) => {
      const dead = tombstone(key, now)
      await both(
        () => write(a, now, dead),
        () => write(b, now, session(key, now)),
      )
      assert.deepEqual(await read(b, key), [rowOf(dead)])
    },
  ),
  raced(
    'destroy-beside-a-touch-is-final',
    'A request that ends during the logout keeps the session open.',
    async ({ a, b, key, now, both }) => {
      await put(a, now, session(key, now))
      const dead = tombstone(key, now)
      await both(
        () => write(a, now, dead),
        () => b.touch([{ key, user: null, expiresAt: now + 2 * HOUR }], now),
      )
      assert.deepEqual(await read(b, key), [rowOf(dead)])
    },
  ),
  raced(
    'touch-beside-an-update-loses-nothing',
    'What a request saved is lost to another that only touched.',
    async ({ a, b, key, now, both }) => {
      const before = session(key, now, { user: user('ann') })
      await put(a, now, before)
      const next = session(key, now, { expect: before.tag, user: user('bob') })
      const touched = now + 2 * HOUR
      const [landed] = await both(
        () => write(a, now, next),
        () => b.touch([{ key, user: before.user, expiresAt: touched }], now),
      )
      assert.deepEqual(landed, [key], 'a touch is no conflict')
      const [row] = await read(b, key)
      assert.ok(row)
      assert.ok([next.expiresAt, touched].includes(row.expiresAt), 'the deadline is that of one of them')
      assert.deepEqual({ ...row, expiresAt: next.expiresAt }, rowOf(next))
    },
  ),
  raced(
    'extend-beside-a-touch-keeps-the-later-deadline',
    'A request that saves brings back the deadline that another request moved on at the same time.',
    async ({ a, b, key, now, both }) => {
      const before = session(key, now)
      await put(a, now, before)
      const next = session(key, now, { expect: before.tag, extend: true })
      const touched = now + 2 * HOUR
      const [landed] = await both(
        () => write(a, now, next),
        () => b.touch([{ key, user: null, expiresAt: touched }], now),
      )
      assert.deepEqual(landed, [key], 'a touch is no conflict')
      assert.deepEqual(await read(b, key), [{ ...rowOf(next), expiresAt: touched }])
    },
  ),
  raced(
    'touch-with-a-tag-beside-an-update-leaves-its-deadline',
    'A request that only touches brings back the longer life that another one just saved.',
    async ({ a, b, key, now, both }) => {
      const before = session(key, now, { user: user('ann') })
      await put(a, now, before)
      const next = session(key, now, {
        expect: before.tag,
        user: user('ann'),
        expiresAt: now + 40 * 24 * HOUR,
      })
      const [landed] = await both(
        () => write(a, now, next),
        () => b.touch([{ key, user: before.user, tag: before.tag, expiresAt: now + 2 * HOUR }], now),
      )
      assert.deepEqual(landed, [key], 'a touch is no conflict')
      assert.deepEqual(await read(b, key), [rowOf(next)])
    },
  ),
  {
    id: 'contract/race/batches-with-common-rows-never-fail',
    why: 'Under load, saves of different processes wait for each other until the database ends them.',
    async check({ a, b, now }) {
      const keys = manyKeys(60)
      const first = keys.map((key) => session(key, now))
      await put(a, now, ...first)
      const landed = new Map<string, Write>(first.map((row) => [row.tag, row]))
      await Promise.all(
        Array.from({ length: 40 }, async (_, i) => {
          const driver = i % 2 ? a : b
          const some = keys.filter((_, k) => (k * 7 + i) % 3)
          const owner = (k: number) => user(k % 2 ? 'ann' : 'bob')
          const batch =
            i % 8 === 0
              ? some.map((key, k) => tombstone(key, now, { user: owner(k) }))
              : (await read(driver, ...some)).map(({ key, tag }, k) =>
                  session(key, now, { user: owner(k), expect: tag }),
                )
          const keysLanded = new Set(await write(driver, now, ...batch))
          for (const row of batch)
            if (keysLanded.has(row.key)) landed.set(row.tag, row)
            else assert.notEqual(row.data, null, 'a tombstone lands')
          await driver.touch(
            some.map((key) => ({ key, user: user('ann'), expiresAt: now + HOUR })),
            now,
          )
          await driver.prune(now, 10)
        }),
      )
      const rows = await live(a, now, ...keys)
      assert.equal(rows.length, keys.length)
      for (const row of rows) assert.deepEqual(row, rowOf(landed.get(row.tag)!), 'one of the writes, whole')
    },
  },
]
