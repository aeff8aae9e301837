import assert from 'node:assert/strict'
import { type Driver, memoryDriver, type Touch, type Write } from '@session-stores/core'
import fc from 'fast-check'
import { DAY, type DriverRule, HOUR, live, newTag, session, user, write } from './fixture.ts'

/**
 * Random calls on the driver and on the reference driver, which must agree after each of them: on which
 * writes landed, and on every live row. Rows that expired are left out: a driver may drop them when it likes.
 *
 * The time given to both goes ahead by hours, from the machine's own. Databases that expire rows by
 * their own clock are then only ever late: a deadline is past, or an hour or more away. A prune removes
 * what is over by the machine's clock, whatever time is given to it: so the model needs no prune.
 */

const KEYS = ['a', 'b', 'c', 'd', 'e']
const USERS = [null, user('ann'), user('bob')]

const VERBS = {
  create: '',
  update: 'current',
  'update of another tag': 'older',
  tombstone: undefined,
  'tombstone of a tag': 'current',
  'tombstone of another tag': 'older',
} as const

interface Change {
  key: string
  verb: keyof typeof VERBS
  /** Carries the tag that its row has already, as a call that is sent again does. */
  again: boolean
  extend: boolean | undefined
  user: string | null
  left: number
}

type Step = { via: 0 | 1; waits: number } & (
  | { call: 'write'; changes: Change[] }
  | { call: 'touch'; touches: { key: string; left: number; tag: 'current' | 'older' | undefined }[] }
  | { call: 'prune'; ahead: number; limit: number }
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
  verb: fc.constantFrom(...(Object.keys(VERBS) as Change['verb'][])),
  again: fc.boolean(),
  extend: fc.constantFrom(undefined, false, true),
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
    arbitrary: fc.record({
      ...common,
      call: fc.constant('touch'),
      touches: some(fc.record({ key, left, tag: fc.constantFrom(undefined, 'current', 'older') })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...common,
      call: fc.constant('prune'),
      ahead: fc.constantFrom(0, 100 * DAY),
      limit: fc.integer({ min: 1, max: 5 }),
    }),
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

/** The tags that each key had, the newest last. */
type Tags = Map<string, string[]>

/** A tag that the row of this key carries, or one that it carried before the last write or never. */
function tagOf(key: string, age: 'current' | 'older', tags: Tags): string {
  const all = tags.get(key) ?? []
  return all.at(age === 'current' ? -1 : -2) ?? newTag()
}

async function asWrite(
  { key, verb, again, left, ...change }: Change,
  model: Driver,
  tags: Tags,
  now: number,
): Promise<Write> {
  const [row] = await model.read([key])
  const expect = VERBS[verb]
  const dead = verb.startsWith('tombstone')
  return session(key, now, {
    ...change,
    expiresAt: now + left,
    expect: expect ? tagOf(key, expect, tags) : expect,
    // No session has the tag of a tombstone.
    ...(again && row && dead === (row.data === null) && { tag: row.tag }),
    ...(dead && { data: null }),
  })
}

async function asTouch(
  { key, left, tag }: { key: string; left: number; tag: 'current' | 'older' | undefined },
  model: Driver,
  tags: Tags,
  now: number,
): Promise<Touch> {
  const [row] = await model.read([key])
  return { key, user: row?.user ?? null, expiresAt: now + left, tag: tag && tagOf(key, tag, tags) }
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

async function take(step: Step, driver: Driver, model: Driver, tags: Tags, now: number): Promise<void> {
  switch (step.call) {
    case 'write': {
      const writes = await Promise.all(step.changes.map((change) => asWrite(change, model, tags, now)))
      const landed = await write(model, now, ...writes)
      assert.deepEqual(await write(driver, now, ...writes), landed, 'what landed')
      for (const { key, tag } of writes)
        if (landed.includes(key) && tagOf(key, 'current', tags) !== tag)
          tags.set(key, [...(tags.get(key) ?? []), tag])
      return
    }
    case 'touch': {
      const touches = await Promise.all(step.touches.map((touch) => asTouch(touch, model, tags, now)))
      await driver.touch(touches, now)
      await model.touch(touches, now)
      return
    }
    case 'prune':
      await driver.prune(now + step.ahead, step.limit)
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
  id: 'contract/model/agrees-with-the-reference-driver',
  why: 'What a session store does in some order of calls depends on the database.',
  async check({ a, b, now: start }) {
    const drivers = [a, b] as const
    // Set it to the seed that a failure printed, to make the same calls again.
    const seed = process.env.SESSION_STORES_SEED
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: 'max' }), async (steps) => {
        await a.clear()
        const model = memoryDriver()
        const tags: Tags = new Map()
        let now = start
        for (const step of steps) {
          now += step.waits * HOUR
          await take(step, drivers[step.via], model, tags, now)
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
