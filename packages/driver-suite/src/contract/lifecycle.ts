import assert from 'node:assert/strict'
import { HOUR, MINUTE } from '../common.ts'
import {
  type DriverRule,
  KEY,
  landAll,
  makeKeys,
  makeSession,
  makeTombstone,
  put,
  read,
  toRow,
} from './fixture.ts'

export const lifecycle: DriverRule[] = [
  {
    id: 'contract/lifecycle/has-a-name',
    why: 'Events and errors do not say which database they are about.',
    check({ a, b }) {
      assert.match(a.name, /^[a-z][a-z0-9-]*$/)
      assert.equal(a.name, b.name)
    },
  },
  {
    id: 'contract/lifecycle/place-is-a-name',
    why: 'A sealed session does not open in another process, or a log gives a password away.',
    check({ a, b }) {
      assert.match(a.place, /\S/)
      assert.equal(a.place, b.place)
      assert.doesNotMatch(a.place, /:\/\//, 'it holds a URL')
    },
  },
  {
    id: 'contract/lifecycle/place-differs-between-stores',
    why: 'A sealed session that somebody copied from one application opens in another.',
    async check({ a, another }) {
      const { drivers, ownDatabase } = await another()
      const [other] = drivers
      await other.setup()
      const advice = 'if each deployment has a database of its own, set `ownDatabase: true`'
      assert.ok(ownDatabase || other.place !== a.place, `both are at '${a.place}': ${advice}`)
    },
  },
  {
    id: 'contract/lifecycle/setup-may-race',
    why: 'Processes that start together on a new database fail, and stay down.',
    async check({ now, another }) {
      for (let round = 0; round < 5; round++) {
        const [a, b] = (await another()).drivers
        await Promise.all([a, b, a, b, b, a].map(async (driver) => driver.setup()))
        await landAll(a, now, makeSession(KEY, now))
        assert.equal(await b.count(now), 1)
      }
    },
  },
  {
    id: 'contract/lifecycle/setup-keeps-what-is-there',
    why: 'Every deployment logs all users out.',
    async check({ a, b, now }) {
      const rows = [makeSession(KEY, now), makeTombstone('the-tombstone', now)]
      await put(a, now, ...rows)
      await Promise.all([a.setup(), b.setup()])
      await a.setup()
      assert.deepEqual(await read(b, KEY, 'the-tombstone'), rows.map(toRow))
    },
  },
  {
    id: 'contract/lifecycle/setup-takes-another-time-limit',
    why: 'A second store on the same driver, with a time limit of its own, fails to start.',
    async check({ a, b, now }) {
      const row = makeSession(KEY, now)
      await put(a, now, row)
      for (const timeLimit of [3000, 60_000, undefined]) {
        const [, rows] = await Promise.all([a.setup(timeLimit), read(a, KEY), b.setup(timeLimit)])
        assert.deepEqual(rows, [toRow(row)])
        await a.touch([{ key: KEY, user: null, expiresAt: now + HOUR }], now)
        assert.deepEqual(await read(b, KEY), [toRow(row)])
      }
    },
  },
  {
    id: 'contract/lifecycle/ping-answers',
    why: 'A health check takes a healthy process out of service.',
    async check({ a, b }) {
      await a.ping()
      await Promise.all([a.ping(), b.ping(), a.ping()])
    },
  },
  {
    id: 'contract/lifecycle/ping-tells-the-time',
    why: 'Nobody notices that the clock of a process is wrong, until sessions end early or live on.',
    async check({ a, b }) {
      for (const driver of [a, b]) {
        const before = Date.now()
        const time = await driver.ping()
        assert.ok(Number.isInteger(time), `${time} is no whole number of milliseconds`)
        assert.ok(time > before - MINUTE && time < Date.now() + MINUTE, `${time} is another time`)
      }
    },
  },
  {
    id: 'contract/lifecycle/clear-removes-nothing-after-it-was-given-up',
    why: 'Who signs in after a failed `clear` is signed out by it.',
    async check({ a, b, now }) {
      const keys = makeKeys(20)
      await put(a, now, ...keys.map((key) => makeSession(key, now)))
      // Whether such a call succeeds does not matter, because nobody waits for its answer.
      await Promise.resolve(a.clear(AbortSignal.abort())).catch(() => {})
      assert.equal(await b.count(now), keys.length)
      await a.clear(new AbortController().signal)
      assert.equal(await b.count(now), 0)
    },
  },
  {
    id: 'contract/lifecycle/clear-stops-between-two-steps',
    why: 'A `clear` that has failed goes on for minutes, and signs out whoever has signed in since.',
    async check({ a, b, now }) {
      for (let i = 0; i < 3; i++)
        await landAll(a, now, ...makeKeys(1500, `key-${i}`).map((key) => makeSession(key, now)))
      const controller = new AbortController()
      const cleared = a.clear(controller.signal)
      // A driver that answers at once has no second step.
      if (!(cleared instanceof Promise)) return
      controller.abort()
      await cleared.catch(() => {})
      assert.ok((await b.count(now)) > 0, 'rows are left')
    },
  },
  {
    id: 'contract/lifecycle/close-may-be-called-again',
    why: 'A process that is told twice to stop ends with an error.',
    async check({ a }) {
      await Promise.all([a.close(), a.close()])
      await a.close()
    },
  },
  {
    id: 'contract/lifecycle/close-leaves-the-other-driver-open',
    why: 'One store that is closed takes down another that was lent the same client.',
    async check({ a, b, now }) {
      const row = makeSession(KEY, now)
      await put(a, now, row)
      await a.close()
      assert.deepEqual(await read(b, KEY), [toRow(row)])
      await put(b, now, makeSession(KEY, now, { expect: row.tag }))
      await b.ping()
    },
  },
]
