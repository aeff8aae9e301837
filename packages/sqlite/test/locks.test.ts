import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import Database from 'better-sqlite3'
import { describe, expect, it, vi } from 'vitest'
import { sqliteDriver } from '../src/index.ts'
import { databaseOf, driverOf, failureOf, keysIn, NOW, newFile, session, start } from './support/files.ts'

/** The time limit in milliseconds. Work waits for a lock for four fifths of it. */
const LIMIT = 1000

/** Starts a process that holds the write lock. */
async function holderOf(path: string): Promise<{ release(): Promise<void> }> {
  const { child, ended, message } = start('hold', path)
  expect(await message()).toBe('held')
  return {
    release() {
      child.send('release')
      return ended
    },
  }
}

/**
 * Returns a function that tells for how many milliseconds statements of better-sqlite3 have stopped
 * this process since.
 */
function timeInSqlite(): () => number {
  const database = new Database(':memory:')
  const prototype = Object.getPrototypeOf(database.prepare('SELECT 1'))
  database.close()
  let total = 0
  for (const method of ['run', 'get', 'all'] as const) {
    const original = prototype[method]
    const spy = vi.spyOn(prototype, method).mockImplementation(function (this: unknown, ...values) {
      const begin = performance.now()
      try {
        return original.apply(this, values)
      } finally {
        total += performance.now() - begin
      }
    })
    after(() => spy.mockRestore())
  }
  return () => total
}

describe('a lock that somebody else holds', () => {
  it('lets the process go on while calls wait for it', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    await driver.write([session('a')], NOW)
    const other = databaseOf(path)
    other.exec('BEGIN IMMEDIATE')
    const write = driver.write([session('b')], NOW)
    const touch = driver.touch([{ key: 'a', user: null, expiresAt: NOW + 2 * HOUR }], NOW)
    expect(write).toBeInstanceOf(Promise)
    expect(driver.read(['a'])).toMatchObject([{ key: 'a', expiresAt: NOW + HOUR }])
    other.exec('COMMIT')
    expect(await write).toEqual(['b'])
    await touch
    expect(driver.read(['a'])).toMatchObject([{ expiresAt: NOW + 2 * HOUR }])
  })

  it('lets waiting calls in by their order', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    const { release } = await holderOf(path)
    const ended: number[] = []
    const writes = keysOf(200).map(async (_, i) => {
      await driver.write([session('same', { data: null, expect: undefined, tag: `mine-${i}` })], NOW)
      ended.push(i)
    })
    await release()
    await Promise.all(writes)
    expect(ended).toEqual(writes.map((_, i) => i))
    expect(await driver.read(['same'])).toMatchObject([{ tag: 'mine-199' }])
  })

  it.each(['the file of its own', 'a lent database with a short timeout'])(
    'stops a process that waits for it for less than a fifth of the time, with %s',
    async (which) => {
      const path = newFile()
      await driverOf({ path })
      const own = which === 'the file of its own'
      const driver = await driverOf(own ? { path } : { database: databaseOf(path, { timeout: 10 }) }, LIMIT)
      const { release } = await holderOf(path)
      const blocked = timeInSqlite()
      const begin = performance.now()
      const calls = keysOf(64).map((key) => failureOf(() => driver.write([session(key)], NOW)))
      for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'UNAVAILABLE' })
      const held = performance.now() - begin
      expect(held).toBeGreaterThan(0.7 * LIMIT)
      expect(blocked()).toBeLessThan(held / 5)
      await release()
    },
  )

  it('is an error when it lasts, and calls that failed are not done later', async () => {
    const path = newFile()
    const driver = await driverOf({ path }, LIMIT)
    await driver.write([session('there')], NOW)
    const { release } = await holderOf(path)
    const failures = await Promise.all(
      [
        () => driver.write([session('a')], NOW),
        () => driver.write([session('b'), session('c')], NOW),
        () => driver.touch([{ key: 'there', user: null, expiresAt: NOW + 9 * HOUR }], NOW),
        () => driver.prune(NOW + 2 * HOUR, 100),
        () => driver.clear(),
      ].map(failureOf),
    )
    expect(failures).toMatchObject(
      failures.map(() => ({
        code: 'UNAVAILABLE',
        message: 'the SQLite database stayed locked for 800 ms',
      })),
    )
    await release()
    expect(await driver.write([session('d')], NOW)).toEqual(['d'])
    expect(await keysIn(driver)).toEqual(['d', 'there'])
    expect(await driver.read(['there'])).toMatchObject([{ expiresAt: NOW + HOUR }])
  })

  it('makes setup wait, for as long as its time limit says', async () => {
    const path = newFile()
    const { release } = await holderOf(path)
    const driver = sqliteDriver({ path })
    after(() => driver.close())
    const begin = performance.now()
    expect(await failureOf(() => driver.setup(200))).toMatchObject({
      message: 'the SQLite database stayed locked for 160 ms',
    })
    expect(performance.now() - begin).toBeLessThan(3000)
    const setup = driver.setup()
    expect(setup).toBeInstanceOf(Promise)
    await release()
    await setup
    expect(await driver.write([session('a')], NOW)).toEqual(['a'])
  })

  it('lets waiting calls fail at once when the driver is closed', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    const { release } = await holderOf(path)
    const fresh = newFile()
    const other = await holderOf(fresh)
    const late = sqliteDriver({ path: fresh })
    const calls = [() => driver.write([session('a')], NOW), () => late.setup()].map(failureOf)
    await Promise.all([driver.close(), late.close()])
    expect(await Promise.all(calls)).toMatchObject([{ code: 'CLOSED' }, { code: 'CLOSED' }])
    await Promise.all([release(), other.release()])
    expect(await keysIn(await driverOf({ path }))).toEqual([])
  })

  it('is waited for by the real clock, whatever fake timers a test installs', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    const { release } = await holderOf(path)
    vi.useFakeTimers()
    after(() => vi.useRealTimers())
    const write = driver.write([session('a')], NOW)
    await release()
    expect(await write).toEqual(['a'])
  })
})
