import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { databaseOf, driverOf, fill, keysIn, NOW, newFile } from './support/files.ts'

/** How many turns the event loop makes meanwhile. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0
  let done = false
  work.finally(() => {
    done = true
  })
  while (!done) {
    await new Promise(setImmediate)
    turns++
  }
  await work
  return turns
}

describe('100,000 sessions', () => {
  it('are counted, listed, pruned and cleared in steps', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    const warnings: Error[] = []
    const warned = (warning: Error) => warnings.push(warning)
    process.on('warning', warned)
    after(() => process.off('warning', warned))
    const keys = keysOf(100_000)
    await fill(driver, keys)
    expect(await keysIn(driver)).toEqual(keys)
    const count = driver.count(NOW) as Promise<number>
    expect(await turnsDuring(count)).toBeGreaterThan(40)
    expect(await count).toBe(100_000)
    expect(await driver.prune(NOW + 2 * HOUR, 256)).toBe(256)
    expect(await turnsDuring(driver.clear() as Promise<void>)).toBeGreaterThan(40)
    expect(await keysIn(driver)).toEqual([])
    await driver.close()
    expect(existsSync(`${path}-wal`), 'the log is in the database').toBe(false)
    expect(warnings, 'the thread of the checkpoints works').toEqual([])
  })

  it('that go are told to the thread that copies the log, or a commit would copy it in the end', async () => {
    const driver = await driverOf({ path: newFile() })
    const told = vi.spyOn(Worker.prototype, 'postMessage')
    after(() => told.mockRestore())
    const prune = async () => {
      while ((await driver.prune(NOW + 2 * HOUR, 256)) === 256);
    }
    for (const remove of [prune, () => driver.clear()]) {
      await fill(driver, keysOf(10_000))
      told.mockClear()
      await remove()
      expect(told.mock.calls.length).toBeGreaterThanOrEqual(4)
      expect(await keysIn(driver)).toEqual([])
    }
  })

  it('end no thread that still starts, which would end the process', async () => {
    const driver = await driverOf({ path: newFile() })
    const steps: string[] = []
    const { postMessage, terminate } = Worker.prototype
    const told = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, value) {
      this.once('message', () => steps.push('started'))
      postMessage.call(this, value)
    })
    const ended = vi.spyOn(Worker.prototype, 'terminate').mockImplementation(function (this: Worker) {
      steps.push('ended')
      return terminate.call(this)
    })
    after(() => {
      told.mockRestore()
      ended.mockRestore()
    })
    await fill(driver, keysOf(2001))
    await driver.close()
    expect(steps).toEqual(['started', 'ended'])
  })

  it('whose deadlines were moved on do not hide the expired ones from prune', async () => {
    const driver = await driverOf({ path: newFile() })
    const [moved, expired] = [keysOf(5000), keysOf(5020).slice(5000)]
    await fill(driver, moved)
    await fill(driver, expired, { expiresAt: NOW + HOUR + 1 })
    await driver.touch(
      moved.map((key) => ({ key, user: null, expiresAt: NOW + 5 * HOUR })),
      NOW,
    )
    expect(await driver.prune(NOW + 2 * HOUR, 10)).toBe(10)
    expect(await driver.prune(NOW + 2 * HOUR, 11)).toBe(10)
    expect(await keysIn(driver)).toEqual(moved)
    await driver.touch([{ key: moved[0]!, user: null, expiresAt: NOW + 3 * HOUR }], NOW)
    expect(await driver.prune(NOW + 4 * HOUR, 10)).toBe(1)
  })
})

it('every statement finds its rows by an index', async () => {
  const database = databaseOf(newFile())
  const statements: string[] = []
  const prepare = (sql: string) => {
    statements.push(sql)
    return database.prepare(sql)
  }
  const lent = { open: true, inTransaction: false, prepare, exec: (sql: string) => database.exec(sql) }
  const driver = await driverOf({ database: lent })
  await fill(driver, keysOf(1000), { user: 'somebody' })
  database.exec('ANALYZE')
  const plans = statements
    .filter((sql) => /sessions/.test(sql))
    .map((sql) => {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql.replace(/@\w+|\?/g, "'1'")}`).all()
      return [sql, plan.map((step) => (step as { detail: string }).detail).join('; ')] as const
    })
  expect(plans.length).toBeGreaterThan(10)
  // These two take the first rows they meet, whichever they are.
  for (const [sql, plan] of plans.filter(([sql]) => !/FROM "sessions" LIMIT|EXISTS \(SELECT 1/.test(sql)))
    expect(plan, sql).not.toMatch(/SCAN "?sessions|TEMP B-TREE/)
  const planOf = (pattern: RegExp) => plans.find(([sql]) => pattern.test(sql))![1]
  expect(planOf(/SELECT key .* user = \?/)).toMatch('sessions_by_user (user=? AND key>?)')
  expect(planOf(/DELETE.*purge_at/s)).toMatch('sessions_by_purge_at (purge_at<?)')
})
