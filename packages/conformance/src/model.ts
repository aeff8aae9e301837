import assert from 'node:assert/strict'
import { type Driver, memoryDriver, type Write } from '@session-stores/core'
import fc from 'fast-check'
import { type DriverRule, HOUR, live, newTag, session, user, write } from './driver/fixture.ts'

/**
 * Random calls on the driver and on the reference driver, which must agree after each of them: on which
 * writes landed, and on every live row. Rows that expired are left out: a driver may drop them when it likes.
 *
 * The time given to both goes ahead by hours, from the machine's own. Databases that expire rows by
 * their own clock are then only ever late: a deadline is past, or an hour or more away.
 */

const KEYS = ['a', 'b', 'c', 'd', 'e']
const USERS = [null, user('ann'), user('bob')]

interface Change {
  key: string
  verb: 'upsert' | 'create' | 'update' | 'update of another tag' | 'tombstone'
  /** Carries the tag that its row has already, as a call that is sent again does. */
  again: boolean
  user: string | null
  left: number
}

type Step = { via: 0 | 1; waits: number } & (
  | { call: 'write'; changes: Change[] }
  | { call: 'touch'; touches: { key: string; left: number }[] }
  | { call: 'prune'; limit: number }
  | { call: 'list'; user: string | undefined; limit: number }
  | { call: 'count' }
)

const key = fc.constantFrom(...KEYS)
/** From now to a deadline: past, at once, and later. */
const left = fc.constantFrom(-2 * HOUR, 0, HOUR, HOUR + 1, 2 * HOUR, 3 * HOUR - 1, 48 * HOUR)
const some = <T extends { key: string }>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc
    .uniqueArray(each, { selector: (one) => one.key, minLength: 1, maxLength: KEYS.length })
    .map((all) => all.sort((one, other) => (one.key < other.key ? -1 : 1)))

const change: fc.Arbitrary<Change> = fc.record({
  key,
  verb: fc.constantFrom('upsert', 'create', 'update', 'update of another tag', 'tombstone'),
  again: fc.boolean(),
  user: fc.constantFrom(...USERS),
  left,
})
const common = {
  via: fc.constantFrom<0 | 1>(0, 1),
  waits: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2)),
}
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ ...common, call: fc.constant('write'), changes: some(change) }) },
  {
    weight: 3,
    arbitrary: fc.record({ ...common, call: fc.constant('touch'), touches: some(fc.record({ key, left })) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ ...common, call: fc.constant('prune'), limit: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...common,
      call: fc.constant('list'),
      user: fc.constantFrom(undefined, user('ann'), user('bob')),
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ ...common, call: fc.constant('count') }) },
)

async function asWrite({ verb, again, left, ...change }: Change, model: Driver, now: number): Promise<Write> {
  const [row] = await model.read([change.key])
  const expects = {
    upsert: undefined,
    tombstone: undefined,
    create: '',
    update: row?.tag ?? 'none',
    'update of another tag': newTag(),
  }
  return session(change.key, now, {
    user: change.user,
    expiresAt: now + left,
    expect: expects[verb],
    ...(again && row && { tag: row.tag }),
    ...(verb === 'tombstone' && { data: null }),
  })
}

/** Live sessions of the query, each as often as it was named. */
async function listed(
  driver: Driver,
  sessions: Set<string>,
  query: { user?: string; limit: number },
): Promise<string[]> {
  const keys: string[] = []
  let after: string | undefined
  do {
    const page = await driver.list({ ...query, after })
    keys.push(...page.keys.filter((key) => sessions.has(key)))
    after = page.next
  } while (after !== undefined)
  return keys.sort()
}

async function take(step: Step, driver: Driver, model: Driver, now: number): Promise<void> {
  switch (step.call) {
    case 'write': {
      const writes = await Promise.all(step.changes.map((change) => asWrite(change, model, now)))
      assert.deepEqual(await write(driver, now, ...writes), await write(model, now, ...writes), 'what landed')
      return
    }
    case 'touch': {
      const touches = await Promise.all(
        step.touches.map(async ({ key, left }) => {
          const [row] = await model.read([key])
          return { key, user: row?.user ?? null, expiresAt: now + left }
        }),
      )
      await driver.touch(touches, now)
      await model.touch(touches, now)
      return
    }
    case 'prune':
      await driver.prune(now, step.limit)
      return
    case 'list': {
      const rows = (await live(model, now, ...KEYS)).filter((row) => row.data !== null)
      const sessions = rows
        .filter(({ user }) => step.user === undefined || user === step.user)
        .map(({ key }) => key)
      assert.deepEqual(await listed(driver, new Set(sessions), step), sessions, 'what was listed')
      return
    }
    case 'count':
      assert.equal(await driver.count(now), await model.count(now), 'how many live')
  }
}

export const agreement: DriverRule = {
  id: 'driver/agrees-with-the-reference-driver',
  why: 'What a session store does in some order of calls depends on the database.',
  async check({ a, b, now: start }) {
    const drivers = [a, b] as const
    // Set it to the seed that a failure printed, to make the same calls again.
    const seed = process.env.SESSION_STORES_SEED
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: 'max' }), async (steps) => {
        await a.clear()
        const model = memoryDriver()
        let now = start
        for (const step of steps) {
          now += step.waits * HOUR
          await take(step, drivers[step.via], model, now)
          assert.deepEqual(
            await live(drivers[1 - step.via]!, now, ...KEYS),
            await live(model, now, ...KEYS),
            'live rows',
          )
        }
      }),
      { numRuns: 100, ...(seed !== undefined && { seed: Number(seed) }) },
    )
  },
}
