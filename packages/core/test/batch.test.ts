import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, it } from 'vitest'
import { type CallEvent, type Driver, events, memoryDriver, type Row, type Write } from '../src/index.ts'
import { fails, faulty, hastyOn, plain, storeOn } from './faulty.ts'

/** How calls share trips to the driver. */

const VERBS = ['read', 'write', 'touch'] as const
type Verb = (typeof VERBS)[number]

/** A driver that answers a turn of the event loop later, and writes down what it was given at once. */
function watched() {
  const driver = memoryDriver()
  const seen: Record<Verb, { sizes: number[]; most: number; keys: string[][] }> = {
    read: { sizes: [], most: 0, keys: [] },
    write: { sizes: [], most: 0, keys: [] },
    touch: { sizes: [], most: 0, keys: [] },
  }
  const open: Record<Verb, number> = { read: 0, write: 0, touch: 0 }
  const wrap =
    <T>(verb: Verb, call: (given: never, now: never) => T) =>
    async (given: readonly (string | { key: string })[], now?: number): Promise<Awaited<T>> => {
      seen[verb].sizes.push(given.length)
      seen[verb].keys.push(given.map((one) => (typeof one === 'string' ? one : one.key)))
      seen[verb].most = Math.max(seen[verb].most, ++open[verb])
      await turn()
      open[verb]--
      return await call(given as never, now as never)
    }
  const slow = {
    read: wrap('read', driver.read),
    write: wrap('write', driver.write),
    touch: wrap('touch', driver.touch),
  }
  return { driver: { ...driver, ...slow } as Driver, seen }
}

describe('calls of many sessions', () => {
  it('go in a few batches at once, each of a bounded size', async () => {
    const { driver, seen } = watched()
    const store = storeOn(driver)
    const ids = Array.from({ length: 2000 }, (_, i) => `id-${i}`)
    await Promise.all(ids.map((id) => store.set(id, plain({ id }))))
    // A plain object is looked up before it is saved: those reads are as many.
    seen.read.sizes.length = 0
    await Promise.all(ids.map((id) => store.touch(id, plain())))
    const found = await Promise.all(ids.map((id) => store.get(id)))
    assert.deepEqual(
      found,
      ids.map((id) => plain({ id })),
    )
    for (const verb of VERBS) {
      const { sizes, most } = seen[verb]
      assert.equal(
        sizes.reduce((sum, size) => sum + size),
        ids.length,
        verb,
      )
      assert.ok(most > 1 && most <= 4, `${most} calls of ${verb} at once`)
      assert.ok(Math.max(...sizes) <= 64 && sizes.length <= ids.length / 32, `batches of ${sizes}`)
    }
  })

  it('are given to the driver in the order of their keys, each once', async () => {
    const { driver, seen } = watched()
    const store = storeOn(driver)
    const ids = Array.from({ length: 300 }, (_, i) => `id-${i % 150}`)
    await Promise.all(ids.flatMap((id) => [store.get(id), store.set(id, plain()), store.touch(id, plain())]))
    for (const verb of VERBS)
      for (const keys of seen[verb].keys) assert.deepEqual(keys, [...new Set(keys)].sort(), verb)
  })

  it('that are large go apart', async () => {
    const { driver, seen } = watched()
    const store = storeOn(driver)
    const text = 'x'.repeat(3_000_000)
    await Promise.all(['a', 'b', 'c'].map((id) => store.set(id, plain({ text }))))
    assert.deepEqual(seen.write.sizes, [1, 1, 1])
    await Promise.all(['a', 'b', 'c'].map((id) => store.set(id, plain())))
    assert.deepEqual(seen.write.sizes.slice(3), [3])
  })
})

describe('calls of one session', () => {
  it('share a read that is not sent yet, and no other', async () => {
    const { driver, seen } = watched()
    const store = storeOn(driver)
    await store.set('a', plain({ turn: 1 }))
    const first = [store.get('a'), store.get('a'), store.get('a')]
    while (seen.read.sizes.length === 0) await turn()
    const second = store.get('a')
    await Promise.all([...first, second])
    assert.deepEqual(seen.read.sizes, [1, 1])
  })

  it('share a touch that is not sent yet: the last one counts', async () => {
    const { driver, seen } = watched()
    const now = Date.now()
    const store = storeOn(driver, { now: () => now })
    await store.set('a', plain())
    const until = (hours: number) => plain({}, { expires: new Date(now + hours * 3_600_000) })
    await Promise.all([1, 7, 3].map((hours) => store.touch('a', until(hours))))
    assert.deepEqual(seen.touch.sizes, [1])
    const [row] = (await driver.read([store.handle('a')])) as [Row]
    assert.ok(row.expiresAt >= now + 3 * 3_600_000 && row.expiresAt < now + 3 * 3_600_000 + 100)
  })
})

it('a call that timed out is published once, however late its answer', async () => {
  const late: ((keys: string[]) => void)[] = []
  const given: Write[][] = []
  const driver = faulty({
    write(writes) {
      given.push([...writes])
      return new Promise((resolve) => late.push(resolve))
    },
  })
  const store = hastyOn(driver)
  await store.ping()
  const heard: CallEvent[] = []
  const listen = (event: unknown) => {
    if ((event as CallEvent).verb === 'write') heard.push(event as CallEvent)
  }
  events.call.subscribe(listen)
  try {
    await fails('TIMEOUT', store.set('a', plain()))
    while (heard.length === 0) await turn()
    late[0]!(given[0]!.map(({ key }) => key))
    for (let i = 0; i < 5; i++) await turn()
  } finally {
    events.call.unsubscribe(listen)
  }
  assert.deepEqual(
    heard.map(({ verb, size, error }) => [verb, size, (error as { code: string }).code]),
    [['write', 1, 'TIMEOUT']],
  )
})

it('a driver that hangs is given little more, until it answers', async () => {
  const answers: (() => void)[] = []
  const driver = faulty({ read: () => new Promise((resolve) => answers.push(() => resolve([]))) })
  const store = hastyOn(driver, { operationTimeout: 5 })
  const round = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => fails('TIMEOUT', store.get(`${i}`))))
  for (let i = 0; i < 20; i++) await round(300)
  // Four at once, until eight are lost; then one after the other.
  assert.ok(answers.length <= 12 + 2 * 20, `${answers.length} batches`)
  for (const answer of answers.splice(0)) answer()
  for (let i = 0; i < 5; i++) await turn()
  // Now it is given four at once again; on a busy machine some of a round may be given up before they are sent.
  while (answers.length < 4) {
    answers.length = 0
    await round(256)
  }
})

it('a call that comes alone is sent in its own turn, after others came alone', async () => {
  const { driver, seen } = watched()
  const store = storeOn(driver)
  await store.get('a')
  const answer = store.get('b')
  await new Promise<void>((resolve) => process.nextTick(resolve))
  assert.deepEqual(seen.read.sizes, [1, 1])
  await answer
  await Promise.all(['c', 'd', 'e'].map((id) => store.get(id)))
  assert.deepEqual(seen.read.sizes, [1, 1, 3])
})

it('calls that come one after the other in one turn share the next one, also where the driver never waits', async () => {
  const driver = memoryDriver()
  const sizes: number[] = []
  const store = storeOn({
    ...driver,
    read(keys) {
      sizes.push(keys.length)
      return driver.read(keys)
    },
  })
  await store.get('a')
  await turn()
  // Each in a tick of its own, as the requests of many sockets come.
  const answers: Promise<unknown>[] = []
  for (const id of ['b', 'c', 'd', 'e']) {
    answers.push(store.get(id))
    await new Promise<void>((resolve) => process.nextTick(resolve))
  }
  await Promise.all(answers)
  assert.deepEqual(sizes, [1, 1, 3])
})
