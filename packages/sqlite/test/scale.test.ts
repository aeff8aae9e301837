import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { databaseOf, driverOf, fill, keysIn, NOW, newFile } from './support/files.ts'

/** Returns how many turns the event loop makes until the work is done. */
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
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    after(() => process.off('warning', onWarning))
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
    expect(existsSync(`${path}-wal`), 'the log was copied into the database').toBe(false)
    expect(warnings, 'the thread of the checkpoints works').toEqual([])
  })

  it('that are removed make the thread copy the log, so that no commit has to', async () => {
    const driver = await driverOf({ path: newFile() })
    const postSpy = vi.spyOn(Worker.prototype, 'postMessage')
    after(() => postSpy.mockRestore())
    const prune = async () => {
      while ((await driver.prune(NOW + 2 * HOUR, 256)) === 256);
    }
    for (const remove of [prune, () => driver.clear()]) {
      await fill(driver, keysOf(10_000))
      postSpy.mockClear()
      await remove()
      expect(postSpy.mock.calls.length).toBeGreaterThanOrEqual(4)
      expect(await keysIn(driver)).toEqual([])
    }
  })

  it('let the thread finish its start before it is ended, or the process would end', async () => {
    const driver = await driverOf({ path: newFile() })
    const steps: string[] = []
    const { postMessage, terminate } = Worker.prototype
    const postSpy = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (
      this: Worker,
      value,
    ) {
      this.once('message', () => steps.push('started'))
      postMessage.call(this, value)
    })
    const terminateSpy = vi.spyOn(Worker.prototype, 'terminate').mockImplementation(function (this: Worker) {
      steps.push('ended')
      return terminate.call(this)
    })
    after(() => {
      postSpy.mockRestore()
      terminateSpy.mockRestore()
    })
    await fill(driver, keysOf(2001))
    await driver.close()
    expect(steps).toEqual(['started', 'ended'])
  })

  it('whose deadlines were moved later do not hide expired ones from prune', async () => {
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
  // Two statements take whichever rows come first, so they need no index.
  for (const [sql, plan] of plans.filter(([sql]) => !/FROM "sessions" LIMIT|EXISTS \(SELECT 1/.test(sql)))
    expect(plan, sql).not.toMatch(/SCAN "?sessions|TEMP B-TREE/)
  const planOf = (pattern: RegExp) => plans.find(([sql]) => pattern.test(sql))![1]
  expect(planOf(/SELECT key .* user = \?/)).toMatch('sessions_by_user (user=? AND key>?)')
  expect(planOf(/DELETE.*purge_at/s)).toMatch('sessions_by_purge_at (purge_at<?)')
})
