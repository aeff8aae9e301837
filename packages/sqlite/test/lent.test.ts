import { HOUR } from '@session-stores/testbed/rows'
import { describe, expect, it } from 'vitest'
import { databaseOf, driverOf, keysIn, NOW, newFile, session } from './support/files.ts'

describe('a database that was lent', () => {
  it('stays open and keeps its pragmas', async () => {
    const database = databaseOf(newFile())
    const pragmas = ['journal_mode', 'synchronous', 'busy_timeout', 'cache_size', 'wal_autocheckpoint']
    const before = pragmas.map((name) => database.pragma(name))
    const driver = await driverOf({ database })
    await driver.write([session('a')], NOW)
    await driver.close()
    await driver.close()
    expect(pragmas.map((name) => database.pragma(name))).toEqual(before)
    expect(database.prepare('SELECT key FROM sessions').pluck().all()).toEqual(['a'])
  })

  it('may answer in BigInts', async () => {
    const database = databaseOf(':memory:')
    database.defaultSafeIntegers(true)
    const driver = await driverOf({ database })
    await driver.write([session('a')], NOW)
    expect(await driver.read(['a'])).toMatchObject([{ createdAt: NOW, expiresAt: NOW + HOUR }])
    expect(await driver.count(NOW)).toBe(1)
  })

  it('may be in a transaction of its owner, whose rollback undoes no write of the store', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    database.exec('BEGIN')
    const write = driver.write([session('a')], NOW)
    expect(write).toBeInstanceOf(Promise)
    database.exec('ROLLBACK')
    expect(await write).toEqual(['a'])
    expect(await keysIn(driver)).toEqual(['a'])
  })

  it('may be iterating over rows for its owner', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    const rows = database.prepare('SELECT value FROM json_each(?)').iterate('[1,2,3]')
    rows.next()
    const write = driver.write([session('a')], NOW)
    expect(write).toBeInstanceOf(Promise)
    rows.return!()
    expect(await write).toEqual(['a'])
  })

  it('is UNAVAILABLE after its owner closed it', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    database.close()
    expect(() => driver.read(['a'])).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }))
  })
})
