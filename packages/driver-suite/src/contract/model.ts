import assert from 'node:assert/strict'
import { type Driver, memoryDriver, type Touch, type Write } from '@session-stores/core'
import fc from 'fast-check'
import { byKey, DAY, HOUR, readPages } from '../common.ts'
import { type DriverRule, hashUser, makeSession, makeTag, readLive, write } from './fixture.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e']
const USERS = [null, hashUser('ann'), hashUser('bob')]

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
  /** Whether the write carries the tag that its row has already, as a resent write does. */
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
/** The time from now to a deadline in the past, at this moment, or in the future. */
const left = fc.constantFrom(-2 * HOUR, 0, HOUR, HOUR + 1, 2 * HOUR, 3 * HOUR - 1, 48 * HOUR)
const makeSubset = <T extends { key: string }>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc
    .uniqueArray(each, { selector: (one) => one.key, minLength: 1, maxLength: KEYS.length })
    .map((all) => all.sort(byKey))

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
  { weight: 6, arbitrary: fc.record({ ...common, call: fc.constant('write'), changes: makeSubset(change) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...common,
      call: fc.constant('touch'),
      touches: makeSubset(fc.record({ key, left, tag: fc.constantFrom(undefined, 'current', 'older') })),
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
      user: fc.constantFrom(undefined, hashUser('ann'), hashUser('bob')),
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ ...common, call: fc.constant('count') }) },
)

/** All tags that each key has had, the newest last. */
type Tags = Map<string, string[]>

/**
 * Returns the current tag of the key, or an older one. Without such a tag, returns one that no row
 * ever had.
 */
function pickTag(key: string, age: 'current' | 'older', tags: Tags): string {
  const all = tags.get(key) ?? []
  return all.at(age === 'current' ? -1 : -2) ?? makeTag()
}

async function toWrite(
  { key, verb, again, left, ...change }: Change,
  model: Driver,
  tags: Tags,
  now: number,
): Promise<Write> {
  const [row] = await model.read([key])
  const expect = VERBS[verb]
  const dead = verb.startsWith('tombstone')
  return makeSession(key, now, {
    ...change,
    expiresAt: now + left,
    expect: expect ? pickTag(key, expect, tags) : expect,
    // A write repeats a tag only for a row of its own kind, because a session never has the tag of
    // a tombstone.
    ...(again && row && dead === (row.data === null) && { tag: row.tag }),
    ...(dead && { data: null }),
  })
}

async function toTouch(
  { key, left, tag }: { key: string; left: number; tag: 'current' | 'older' | undefined },
  model: Driver,
  tags: Tags,
  now: number,
): Promise<Touch> {
  const [row] = await model.read([key])
  return { key, user: row?.user ?? null, expiresAt: now + left, tag: tag && pickTag(key, tag, tags) }
}

/** Returns those of `sessions` that the list names, each as often as it names them. */
async function listSessions(
  driver: Driver,
  sessions: Set<string>,
  query: { user?: string; limit: number },
): Promise<string[]> {
  const keys: string[] = []
  for await (const page of readPages(driver, query)) keys.push(...page.filter((key) => sessions.has(key)))
  return keys.sort()
}

async function takeStep(step: Step, driver: Driver, model: Driver, tags: Tags, now: number): Promise<void> {
  switch (step.call) {
    case 'write': {
      const writes = await Promise.all(step.changes.map((change) => toWrite(change, model, tags, now)))
      const landed = await write(model, now, ...writes)
      assert.deepEqual(await write(driver, now, ...writes), landed, 'what landed')
      for (const { key, tag } of writes)
        if (landed.includes(key) && pickTag(key, 'current', tags) !== tag)
          tags.set(key, [...(tags.get(key) ?? []), tag])
      return
    }
    case 'touch': {
      const touches = await Promise.all(step.touches.map((touch) => toTouch(touch, model, tags, now)))
      await driver.touch(touches, now)
      await model.touch(touches, now)
      return
    }
    case 'prune':
      await driver.prune(now + step.ahead, step.limit)
      return
    case 'list': {
      const rows = (await readLive(model, now, ...KEYS)).filter((row) => row.data !== null)
      const sessions = rows
        .filter(({ user }) => step.user === undefined || user === step.user)
        .map(({ key }) => key)
      assert.deepEqual(await listSessions(driver, new Set(sessions), step), sessions, 'what was listed')
      return
    }
    case 'count':
      assert.equal(await driver.count(now), await model.count(now), 'how many live')
  }
}

/**
 * Makes random calls on the driver and on the reference driver. After each call both
 * must agree on which writes landed, and on every live row. Expired rows are left out, because a
 * driver may remove them at any time.
 *
 * The time given to both starts at the machine's time and moves ahead by hours. So every deadline
 * is in the past or at least an hour away, and a database that expires rows by its own clock can
 * only be late. A prune removes only rows that have expired by the machine's clock, whatever time
 * it is given. So the reference driver need not prune.
 */
export const agreement: DriverRule = {
  id: 'contract/model/agrees-with-the-reference-driver',
  why: 'What a session store does in some order of calls depends on the database.',
  async check({ a, b, now: start }) {
    const drivers = [a, b] as const
    // With the seed that a failure printed, the rule makes the same calls again.
    const seed = process.env.SESSION_STORES_SEED
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: 'max' }), async (steps) => {
        await a.clear()
        const model = memoryDriver()
        const tags: Tags = new Map()
        let now = start
        for (const step of steps) {
          now += step.waits * HOUR
          await takeStep(step, drivers[step.via], model, tags, now)
          assert.deepEqual(
            await readLive(drivers[1 - step.via]!, now, ...KEYS),
            await readLive(model, now, ...KEYS),
            'live rows',
          )
        }
      }),
      { numRuns: 100, ...(seed !== undefined && { seed: Number(seed) }) },
    )
  },
}
