import { type Driver, memoryDriver, type Row, type Touch, type Write } from '@session-stores/core'
import { HOUR } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { driverOf, keysIn, NOW, newFile, session } from './support/files.ts'

const ADA = 'ada'.padEnd(43, '-')

/** The writes and touches that a row has seen. */
type Past = (driver: Driver) => unknown

const earlier = NOW - 2 * HOUR
const created: Write = {
  key: 'key',
  data: '"old"',
  tag: 'old',
  user: ADA,
  createdAt: earlier,
  expiresAt: NOW + HOUR,
  expect: '',
}
const creates = (more: Partial<Write>) => (driver: Driver) => driver.write([{ ...created, ...more }], earlier)
const pasts: Record<string, Past> = {
  'no row': () => {},
  'a session': creates({}),
  'a session that was touched': async (driver) => {
    await creates({})(driver)
    await driver.touch([{ key: 'key', user: ADA, expiresAt: NOW + 2 * HOUR }], earlier)
  },
  'an expired session': creates({ expiresAt: NOW }),
  'a tombstone': creates({ data: null, user: null }),
  'an expired tombstone': creates({ data: null, user: null, expiresAt: NOW - 1 }),
}

function* writes(): Generator<Write> {
  for (const expect of [undefined, '', 'old', 'other'])
    for (const data of expect === undefined ? [null] : [null, '"new"'])
      for (const tag of ['old', 'new'])
        for (const user of [ADA, null])
          for (const extend of [undefined, false, true])
            for (const left of [-HOUR, 0, 1, HOUR, 3 * HOUR])
              yield {
                ...{ key: 'key', data, tag, user, createdAt: NOW, expiresAt: NOW + left },
                ...{ expect, extend },
              }
}

function* touches(): Generator<Touch> {
  for (const tag of [undefined, 'old', 'other'])
    for (const left of [-HOUR, 0, 1, HOUR, 3 * HOUR])
      yield { key: 'key', user: ADA, tag, expiresAt: NOW + left }
}

/** Returns the row as an object of its own while the row is live. */
async function liveRow(driver: Driver): Promise<Row | undefined> {
  const [row] = await driver.read(['key'])
  return row && row.expiresAt > NOW ? { ...row } : undefined
}

/**
 * Checks that the call has the same result on this driver and on the memory driver, and that
 * `prune` finds the row later.
 */
async function expectSame<T>(past: Past, call: (driver: Driver) => T, label: unknown): Promise<void> {
  const [driver, model] = [shared!, memoryDriver()]
  await driver.clear()
  await past(driver)
  await past(model)
  expect(await call(driver), JSON.stringify(label)).toEqual(await call(model))
  const row = await liveRow(model)
  expect(await liveRow(driver), JSON.stringify(label)).toEqual(row)
  expect(await driver.count(NOW), JSON.stringify(label)).toBe(await model.count(NOW))
  if (row?.user) expect(await keysIn(driver, row.user), JSON.stringify(label)).toEqual(['key'])
  await driver.prune(NOW + 99 * HOUR, 10)
  expect(await keysIn(driver), JSON.stringify(label)).toEqual([])
}

let shared: Driver | undefined

describe.each(Object.entries(pasts))('%s', (_, past) => {
  it('gives the same result as the memory driver after any write', async () => {
    shared = await driverOf({ path: ':memory:' })
    for (const write of writes()) {
      await expectSame(past, (driver) => driver.write([write], NOW), write)
      const neighbour = { ...write, key: 'neighbour', expect: write.expect && '' }
      if (write.expect !== 'other' || write.user) continue
      await expectSame(past, (driver) => driver.write([write, neighbour], NOW), [write, 'with a neighbour'])
    }
  })

  it('gives the same result as the memory driver after any touch', async () => {
    shared = await driverOf({ path: ':memory:' })
    for (const touch of touches()) await expectSame(past, (driver) => driver.touch([touch], NOW), touch)
  })
})

describe('the clock of the database', () => {
  it('answers a ping, whatever the clock of the process says', async () => {
    const driver = await driverOf({ path: newFile() })
    const before = Date.now()
    vi.useFakeTimers({ now: 0 })
    after(() => vi.useRealTimers())
    const time = await driver.ping()
    vi.useRealTimers()
    expect(Number.isInteger(time)).toBe(true)
    expect(time).toBeGreaterThanOrEqual(before)
    expect(time).toBeLessThanOrEqual(Date.now())
  })

  it('keeps rows from prune that it does not call expired', async () => {
    const driver = await driverOf({ path: newFile() })
    const now = Date.now()
    await driver.write(
      [
        session('live', { expiresAt: now + HOUR }),
        session('expired', { expiresAt: now - HOUR }),
        session('tombstone', { data: null, expiresAt: now + HOUR }),
      ],
      earlier,
    )
    expect(await driver.prune(now + 24 * HOUR, 100)).toBe(1)
    expect(await keysIn(driver)).toEqual(['live', 'tombstone'])
  })

  it('names its table as its place', async () => {
    expect((await driverOf({ path: newFile(), table: 'mine' })).place).toBe('mine')
  })
})
