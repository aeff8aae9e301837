import assert from 'node:assert/strict'
import { type DriverRule, put, read, rowOf, session, tombstone } from './fixture.ts'

const KEY = 'the-key'

export const lifecycle: DriverRule[] = [
  {
    id: 'driver/has-a-name',
    why: 'Events and errors do not say which database they are about.',
    check({ a, b }) {
      assert.match(a.name, /^[a-z][a-z0-9-]*$/)
      assert.equal(a.name, b.name)
    },
  },
  {
    id: 'driver/setup-may-race',
    why: 'Processes that start together on a new database fail, and stay down.',
    async check({ now, another }) {
      for (let round = 0; round < 5; round++) {
        const [a, b] = (await another()).drivers
        await Promise.all([a, b, a, b, b, a].map(async (driver) => driver.setup()))
        await put(a, now, session(KEY, now, { expect: '' }))
        assert.equal(await b.count(now), 1)
      }
    },
  },
  {
    id: 'driver/setup-keeps-what-is-there',
    why: 'Every deployment logs all users out.',
    async check({ a, b, now }) {
      const rows = [session(KEY, now), tombstone('the-tombstone', now)]
      await put(a, now, ...rows)
      await Promise.all([a.setup(), b.setup()])
      await a.setup()
      assert.deepEqual(await read(b, KEY, 'the-tombstone'), rows.map(rowOf))
    },
  },
  {
    id: 'driver/ping-answers',
    why: 'A health check takes a healthy process out of service.',
    async check({ a, b }) {
      await a.ping()
      await Promise.all([a.ping(), b.ping(), a.ping()])
    },
  },
  {
    id: 'driver/close-may-be-called-again',
    why: 'A process that is told twice to stop ends with an error.',
    async check({ a }) {
      await Promise.all([a.close(), a.close()])
      await a.close()
    },
  },
  {
    id: 'driver/close-leaves-the-other-driver-open',
    why: 'One store that is closed takes down another that was lent the same client.',
    async check({ a, b, now }) {
      const row = session(KEY, now)
      await put(a, now, row)
      await a.close()
      assert.deepEqual(await read(b, KEY), [rowOf(row)])
      await put(b, now, session(KEY, now, { expect: row.tag }))
      await b.ping()
    },
  },
]
