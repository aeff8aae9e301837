import { chmodSync, copyFileSync, existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { Driver } from '@session-stores/core'
import { after } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { sqliteDriver } from '../src/index.ts'
import { databaseOf, driverOf, failureOf, keysIn, NOW, newFile, session } from './support/files.ts'

const modeOf = (path: string): number => statSync(path).mode & 0o777

function remove(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true })
}

/**
 * Reads a key until the key is gone (returns `undefined`) or the read fails (returns the error).
 * Rejects after ten seconds.
 */
async function untilNoticed(driver: Driver, key: string): Promise<unknown> {
  const end = performance.now() + 10_000
  while (performance.now() < end) {
    let found: unknown[] = []
    const error = await failureOf(async () => {
      found = await driver.read([key])
    })
    if (error !== undefined || found.length === 0) return error
    await new Promise(setImmediate)
  }
  throw new Error('the driver noticed nothing')
}

describe('the mode of the files', () => {
  it('lets only their owner read the files that the store makes', async () => {
    const path = newFile()
    const umask = process.umask(0)
    after(() => process.umask(umask))
    const driver = await driverOf({ path })
    await driver.write([session('a')], NOW)
    expect([path, `${path}-wal`, `${path}-shm`].map(modeOf)).toEqual([0o600, 0o600, 0o600])
  })

  it('stays as it is on a file that exists', async () => {
    const path = newFile()
    writeFileSync(path, '')
    chmodSync(path, 0o664)
    const driver = await driverOf({ path })
    await driver.write([session('a')], NOW)
    expect([path, `${path}-wal`].map(modeOf)).toEqual([0o664, 0o664])
  })
})

describe('a file that is removed while it is open', () => {
  it('is made again, for every driver on it, after it was deleted', async () => {
    const path = newFile()
    const drivers = [await driverOf({ path }), await driverOf({ path })] as const
    await drivers[0].write([session('a')], NOW)
    remove(path)
    for (const driver of drivers) expect(await untilNoticed(driver, 'a')).toBeUndefined()
    expect(await drivers[0].write([session('b')], NOW)).toEqual(['b'])
    expect(await keysIn(drivers[1])).toEqual(['b'])
    expect(modeOf(path)).toBe(0o600)
  })

  it('is opened again, and left as it is, after it was replaced', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    await driver.write([session('a')], NOW)
    const other = newFile()
    const replacement = sqliteDriver({ path: other })
    await replacement.setup()
    await replacement.write([session('b')], NOW)
    await replacement.close()
    remove(path)
    renameSync(other, path)
    expect(await untilNoticed(driver, 'a')).toBeUndefined()
    expect(await keysIn(driver)).toEqual(['b'])
    await driver.write([session('c')], NOW)
    expect(await keysIn(await driverOf({ path }))).toEqual(['b', 'c'])
  })

  it('is opened again by a write, too, and at once by setup', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    await driver.write([session('a')], NOW)
    remove(path)
    const end = performance.now() + 10_000
    while (!existsSync(path) && performance.now() < end) {
      await driver.touch([{ key: 'a', user: null, expiresAt: NOW + 1 }], NOW)
      await new Promise(setImmediate)
    }
    expect(modeOf(path), 'made by the driver, not by the thread of the checkpoints').toBe(0o600)
    expect(await keysIn(driver)).toEqual([])
    remove(path)
    await driver.setup()
    expect(existsSync(path)).toBe(true)
    expect(await driver.write([session('b')], NOW)).toEqual(['b'])
  })

  it('is an error until it can be opened again', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    await driver.write([session('a')], NOW)
    remove(path)
    writeFileSync(path, 'not a database, and longer than its header. '.repeat(100))
    expect(await untilNoticed(driver, 'a')).toMatchObject({ code: 'BAD_STORAGE' })
    expect(await failureOf(() => driver.write([session('a')], NOW))).toMatchObject({ code: 'BAD_STORAGE' })
    rmSync(path)
    expect(await driver.write([session('b')], NOW)).toEqual(['b'])
  })

  it('is BAD_STORAGE where the database was lent, and the message says what to do', async () => {
    const path = newFile()
    const driver = await driverOf({ database: databaseOf(path) })
    await driver.write([session('a')], NOW)
    copyFileSync(path, `${path}.copy`)
    renameSync(`${path}.copy`, path)
    const gone = {
      code: 'BAD_STORAGE',
      message:
        'the file of the SQLite database that was lent was deleted or replaced: open it again and give it to a new store',
    }
    expect(await untilNoticed(driver, 'a')).toMatchObject(gone)
    expect(await failureOf(() => driver.write([session('b')], NOW))).toMatchObject(gone)
    expect(await failureOf(() => driver.setup())).toMatchObject(gone)
  })
})

describe('a table that is dropped', () => {
  it('is made again by the next call', async () => {
    const path = newFile()
    const database = databaseOf(path)
    for (const driver of [await driverOf({ path }), await driverOf({ database })])
      for (const call of [
        () => driver.read(['a']),
        () => driver.write([session('a')], NOW),
        () => driver.write([session('b'), session('c')], NOW),
        () => driver.touch([{ key: 'a', user: null, expiresAt: NOW }], NOW),
        () => driver.list({ limit: 1 }),
        () => driver.count(NOW),
        () => driver.prune(NOW, 10),
        () => driver.clear(),
        () => driver.ping(),
        () => driver.setup(),
      ]) {
        database.exec('DROP TABLE sessions')
        await call()
        const indexes = database.prepare("SELECT name FROM pragma_index_list('sessions') WHERE origin = 'c'")
        expect(indexes.pluck().all().toSorted()).toEqual(['sessions_by_purge_at', 'sessions_by_user'])
        await driver.clear()
      }
  })

  it('is an explicit error where the table may not be made', async () => {
    const path = newFile()
    const owner = databaseOf(path)
    await driverOf({ database: owner })
    const driver = await driverOf({ database: databaseOf(path, { readonly: true }) })
    owner.exec('DROP TABLE sessions')
    expect(await failureOf(() => driver.read(['a']))).toMatchObject({
      code: 'READ_ONLY',
      message: 'the SQLite database lacks the table of the sessions, and this process may not make it',
    })
  })

  it('is an explicit error where making it again does not help', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    database.exec('CREATE TRIGGER follow AFTER INSERT ON sessions BEGIN INSERT INTO dropped VALUES (1); END')
    expect(await failureOf(() => driver.write([session('a')], NOW))).toMatchObject({
      code: 'BAD_STORAGE',
      message: 'the SQLite database lacks a table, and it was missing again after the store had made its own',
    })
  })
})
