import assert from 'node:assert/strict'
import type { Driver } from '@session-stores/core'
import { DAY, HOUR, MINUTE } from '../common.ts'
import {
  type DriverRule,
  hashUser,
  KEY,
  landAll,
  makeKeys,
  makeSession,
  makeTombstone,
  put,
  read,
  readLive,
  toRow,
} from './fixture.ts'

/** Prunes until nothing is left for now, and returns how many rows each step removed. */
async function pruneAll(driver: Driver, before: number, limit: number, max: number): Promise<number[]> {
  const steps: number[] = []
  for (;;) {
    const went = await driver.prune(before, limit)
    assert.ok(Number.isInteger(went) && went >= 0, `prune returned ${went}`)
    steps.push(went)
    if (went < limit) return steps
    assert.ok(steps.length <= max, `prune does not end: ${steps.length} steps`)
  }
}

/**
 * Writes rows that expired months ago by every clock. Half were written so, and half were touched
 * so.
 */
async function putExpired(driver: Driver, today: number, keys: string[]): Promise<void> {
  const owner = hashUser('ann')
  const now = today - 100 * DAY
  const past = now - 30 * DAY
  const [written, touched] = [keys.filter((_, i) => i % 2), keys.filter((_, i) => i % 2 === 0)]
  await put(driver, now, ...written.map((key) => makeSession(key, now, { user: owner, expiresAt: past })))
  await put(driver, now, ...touched.map((key) => makeSession(key, now, { user: owner })))
  await driver.touch(
    touched.map((key) => ({ key, user: owner, expiresAt: past })),
    now,
  )
}

export const prunes: DriverRule[] = [
  {
    id: 'contract/prune/never-removes-a-live-row',
    why: 'The clean-up logs out users, or removes what keeps their logout final.',
    async check({ a, b, now: today }) {
      // Some rows have expired by the database's clock, which alone is no reason to remove them.
      const now = today - 30 * MINUTE
      const before = now + 10 * MINUTE
      const rows = [
        makeSession('expires-at-once', now, { expiresAt: before + 1 }),
        makeSession('expires-later', now, { expiresAt: before + HOUR, user: hashUser('ann') }),
        makeSession('expires-never', now, { expiresAt: 8.64e15 }),
        makeTombstone('stands', now, { expiresAt: before + 1 }),
      ]
      const touched = makeSession('was-touched', now, { user: hashUser('ann') })
      await put(a, now, ...rows, touched, makeSession('over', now, { expiresAt: before - 5 * MINUTE }))
      await a.touch([{ key: touched.key, user: touched.user, expiresAt: before + 1 }], now)
      await pruneAll(b, before, 1, 10)
      await pruneAll(a, before, 100, 10)
      assert.deepEqual(await read(a, ...rows.map(({ key }) => key), touched.key), [
        ...rows.map(toRow),
        { ...toRow(touched), expiresAt: before + 1 },
      ])
    },
  },
  {
    id: 'contract/prune/never-removes-what-lives-by-the-clock-of-the-database',
    why: 'One process whose clock is ahead logs out all users of the others.',
    async check({ a, b, now }) {
      const rows = [
        makeSession('session', now),
        makeTombstone('tombstone', now),
        makeSession('touched', now, { user: hashUser('ann'), expiresAt: now + 30 * DAY }),
      ]
      await put(a, now, ...rows)
      const ends = now + 2 * HOUR
      await a.touch([{ key: 'touched', user: hashUser('ann'), expiresAt: ends }], now)
      for (const ahead of [2 * HOUR, 3 * DAY, 400 * DAY])
        for (const driver of [a, b]) await pruneAll(driver, now + ahead, 10, 10)
      const [first, second, third] = rows.map(toRow)
      assert.deepEqual(await read(b, 'session', 'tombstone', 'touched'), [
        first,
        second,
        { ...third, expiresAt: ends },
      ])
    },
  },
  {
    id: 'contract/prune/removes-what-expired-long-ago',
    why: 'Expired sessions stay for ever, and the disk or the memory fills up.',
    async check({ a, b, now }) {
      const keys = makeKeys(40)
      await putExpired(a, now, keys)
      // Only rows that expired long ago must go, because a driver with a coarse index may keep
      // newer ones.
      await pruneAll(b, now, 100, 10)
      assert.deepEqual(await read(a, ...keys), [])
    },
  },
  {
    id: 'contract/prune/works-in-bounded-steps',
    why: 'A clean-up after a busy day holds the database up for all its users.',
    async check({ a, b, now }) {
      const keys = makeKeys(200)
      await putExpired(a, now, keys)
      const steps = await pruneAll(b, now, 10, 200)
      const most = Math.max(...steps)
      assert.ok(most <= 20, `${most} rows in one step is more than about 10`)
      assert.ok(steps.reduce((sum, went) => sum + went) <= keys.length, 'no more rows went than there were')
      assert.deepEqual(await read(a, ...keys), [])
    },
  },
  {
    id: 'contract/prune/gets-past-sessions-that-were-extended',
    why: 'With many users active, expired sessions stay for ever, and the disk or the memory fills up.',
    async check({ a, b, now: today }) {
      const now = today - 100 * DAY
      const active = makeKeys(200, 'active').map((key) => makeSession(key, now))
      const expiresAt = today + DAY
      await put(a, now, ...active)
      await a.touch(
        active.map(({ key, user }) => ({ key, user, expiresAt })),
        now,
      )
      // These rows had expired when they were written, but after the first deadlines of the active
      // rows.
      const later = now + 60 * DAY
      const over = makeKeys(20, 'over')
      await put(a, later, ...over.map((key) => makeSession(key, later, { expiresAt: now + 10 * DAY })))
      await pruneAll(b, today, 10, 220)
      assert.deepEqual(await read(a, ...over), [])
      assert.equal(await a.count(today), active.length)
    },
  },
  {
    id: 'contract/prune/of-nothing-returns-zero',
    why: 'A clean-up that reports work for ever never ends.',
    async check({ a, b, now }) {
      assert.equal(await a.prune(now, 10), 0)
      await put(a, now, makeSession(KEY, now))
      assert.equal(await b.prune(now, 10), 0)
    },
  },
  {
    id: 'contract/prune/prunes-side-by-side-do-no-harm',
    why: 'Processes that clean up at the same time fail, or log out users.',
    async check({ a, b, now }) {
      const keys = makeKeys(300)
      await putExpired(a, now, keys)
      const alive = makeKeys(50, 'alive').map((key) => makeSession(key, now))
      const fresh = makeKeys(50, 'fresh').map((key) => makeSession(key, now))
      await put(a, now, ...alive)
      await Promise.all([
        ...[a, b, a, b].map((driver) => pruneAll(driver, now, 20, 300)),
        ...fresh.map((row, i) => put(i % 2 ? a : b, now, row)),
      ])
      const rows = [...alive, ...fresh]
      assert.deepEqual(await readLive(b, now, ...rows.map(({ key }) => key)), rows.map(toRow))
    },
  },
  {
    id: 'contract/prune/clear-removes-every-row',
    why: '"Log everybody out" leaves sessions open, or ids that can never be used again.',
    async check({ a, b, now }) {
      const sessions = makeKeys(300).map((key, i) =>
        makeSession(key, now, { user: i % 2 ? hashUser('ann') : null }),
      )
      const dead = makeKeys(30, 'dead').map((key) => makeTombstone(key, now, { user: hashUser('ann') }))
      for (const rows of [sessions, dead])
        for (let i = 0; i < rows.length; i += 200) await put(a, now, ...rows.slice(i, i + 200))
      await b.clear()
      assert.equal(await a.count(now), 0)
      assert.deepEqual((await a.list({ limit: 1000 })).keys, [])
      assert.deepEqual((await a.list({ user: hashUser('ann'), limit: 1000 })).keys, [])
      for (const rows of [sessions, dead])
        assert.deepEqual(await read(a, ...rows.slice(0, 200).map(({ key }) => key)), [])
      await landAll(a, now, makeSession('dead-000001', now))
    },
  },
  {
    id: 'contract/prune/clear-of-nothing-succeeds',
    why: 'Clearing twice, or a new installation, fails.',
    async check({ a, b, now }) {
      await a.clear()
      await b.clear()
      await put(a, now, makeSession(KEY, now))
      assert.equal(await b.count(now), 1)
    },
  },
  {
    id: 'contract/prune/clear-leaves-other-stores-alone',
    why: 'Clearing the sessions of one application logs out the users of another.',
    async check({ a, now, another }) {
      const other = (await another()).drivers[0]
      await other.setup()
      const row = makeSession(KEY, now, { user: hashUser('ann') })
      await put(other, now, row)
      await put(a, now, makeSession(KEY, now, { user: hashUser('ann') }))
      await a.clear()
      assert.deepEqual(await read(other, KEY), [toRow(row)])
      assert.deepEqual((await other.list({ user: hashUser('ann'), limit: 10 })).keys, [KEY])
      assert.equal(await other.count(now), 1)
    },
  },
]
