import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keysOf } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { sqliteDriver } from '../src/index.ts'
import { databaseOf, driverOf, failureOf, keysIn, NOW, newFile, newFolder, session } from './support/files.ts'

describe('errors', () => {
  it('a missing folder is UNAVAILABLE, until it exists', async () => {
    const folder = join(newFolder(), 'data')
    const driver = sqliteDriver({ path: join(folder, 'sessions.db') })
    after(() => driver.close())
    const error = await failureOf(() => driver.setup())
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'the folder of the SQLite file does not exist',
    })
    mkdirSync(folder)
    await driver.setup()
    await driver.ping()
  })

  it('a file that cannot be opened is UNAVAILABLE', async () => {
    expect(await failureOf(() => driverOf({ path: newFolder() }))).toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('a file that is not a database is BAD_STORAGE', async () => {
    const path = newFile()
    writeFileSync(path, 'not a database, and longer than its header. '.repeat(100))
    expect(await failureOf(() => driverOf({ path }))).toMatchObject({ code: 'BAD_STORAGE' })
  })

  it("another store's table is BAD_STORAGE, and stays as it is", async () => {
    const path = newFile()
    const database = databaseOf(path)
    database.exec('CREATE TABLE sessions (sid TEXT PRIMARY KEY, sess JSON, expire TEXT)')
    expect(await failureOf(() => driverOf({ path }))).toMatchObject({ code: 'BAD_STORAGE' })
    await driverOf({ path, table: 'sessions2' })
    expect(
      database.prepare("SELECT group_concat(name) FROM pragma_table_info('sessions')").pluck().get(),
    ).toBe('sid,sess,expire')
  })

  it('a read-only database is READ_ONLY, and its sessions can be read', async () => {
    const path = newFile()
    const writer = await driverOf({ path })
    await writer.write([session('a')], NOW)
    const driver = await driverOf({ database: databaseOf(path, { readonly: true }) })
    expect(await driver.read(['a'])).toMatchObject([{ key: 'a' }])
    for (const writes of [[session('a')], [session('a'), session('b')]])
      expect(await failureOf(() => driver.write(writes, NOW))).toMatchObject({ code: 'READ_ONLY' })
  })

  it('a full database is STORAGE_FULL, and keeps its sessions', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    await driver.write([session('a')], NOW)
    database.pragma('max_page_count = 20')
    const large = keysOf(20).map((key) => session(key, { data: 'x'.repeat(10_000) }))
    expect(await failureOf(() => driver.write(large, NOW))).toMatchObject({ code: 'STORAGE_FULL' })
    expect(await keysIn(driver)).toEqual(['a'])
    expect(await driver.write([session('b')], NOW)).toEqual(['b'])
  })

  it('a batch that fails half-way changes nothing', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    database.exec(`CREATE TRIGGER no_b BEFORE INSERT ON sessions WHEN new.key = 'b'
      BEGIN SELECT raise(FAIL, 'no b'); END`)
    expect(await failureOf(() => driver.write([session('a'), session('b')], NOW))).toMatchObject({
      code: 'BAD_STORAGE',
    })
    expect(database.inTransaction).toBe(false)
    expect(await keysIn(driver)).toEqual([])
  })

  it('a call before setup or after close is CLOSED', async () => {
    const driver = sqliteDriver({ path: ':memory:' })
    expect(await failureOf(() => driver.ping())).toMatchObject({ code: 'CLOSED' })
    await driver.setup()
    await driver.close()
    await driver.close()
    expect(await failureOf(() => driver.ping())).toMatchObject({ code: 'CLOSED' })
  })
})
