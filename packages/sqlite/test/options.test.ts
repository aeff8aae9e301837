import { DatabaseSync } from 'node:sqlite'
import { HOUR } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { SqliteStore, sqliteDriver } from '../src/index.ts'
import { databaseOf, driverOf, keysIn, NOW, newFile, session } from './support/files.ts'

describe('options', () => {
  it('a wrong option is named in the error, with what it takes', () => {
    // @ts-expect-error
    expect(() => new SqliteStore({ pth: 'sessions.db' })).toThrow(
      /unknown option 'pth'.* path, database, table/,
    )
    // @ts-expect-error
    expect(() => new SqliteStore({ path: 7 })).toThrow("option 'path' takes the path of a file")
    // @ts-expect-error
    expect(() => new SqliteStore({ database: 'sessions.db' })).toThrow(
      "option 'database' takes a better-sqlite3",
    )
    expect(() => new SqliteStore({ path: 'sessions.db', idleTimeout: -1 })).toThrow(
      "option 'idleTimeout' takes",
    )
    for (const table of ['', 'a\0b', 'sqlite_sessions'])
      expect(() => sqliteDriver({ path: ':memory:', table })).toThrow("option 'table' takes")
  })

  it('exactly one of path and database must be given', () => {
    const database = databaseOf(':memory:')
    const message =
      "give exactly one of the options 'path' (a file) and 'database' (a Database of 'better-sqlite3')"
    // @ts-expect-error
    expect(() => sqliteDriver({ path: ':memory:', database })).toThrow(new TypeError(message))
    // @ts-expect-error
    expect(() => sqliteDriver({})).toThrow(new TypeError(message))
  })

  it('the error says what to write in place of a database of node:sqlite', () => {
    const database = new DatabaseSync(':memory:')
    after(() => database.close())
    // @ts-expect-error
    expect(() => new SqliteStore({ database })).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        message: expect.stringMatching(/new Database\(file\) of 'better-sqlite3', not of node:sqlite/),
      }),
    )
  })

  it('the error says what to write in place of a wrong value', () => {
    for (const database of [Promise.resolve(databaseOf(':memory:')), 'sessions.db', Database] as never[])
      expect(() => new SqliteStore({ database })).toThrow(
        /^option 'database' takes a better-sqlite3 Database: new Database\(file\).* await a promise.*'path'$/,
      )
  })

  it('a file keeps its sessions over a restart', async () => {
    const path = newFile()
    const first = new SqliteStore({ path, pruneInterval: false })
    const cookie = { originalMaxAge: HOUR, path: '/' }
    await first.set('the-id', { cookie, name: 'Ada' } as never)
    await first.close()
    const second = new SqliteStore({ path, pruneInterval: false })
    after(() => second.close())
    expect(await second.get('the-id')).toMatchObject({ name: 'Ada' })
  })

  it.each(['we"ird', "it's", 'a b', 'a;DROP TABLE mine;--', '[x]', 'Übung', 'select', '%s', '--'])(
    '%j is taken as the name of a table',
    async (table) => {
      const database = databaseOf(newFile())
      database.exec('CREATE TABLE mine (x); INSERT INTO mine VALUES (1)')
      const driver = await driverOf({ database, table })
      const other = await driverOf({ database })
      await driver.write([session('a', { user: 'u' })], NOW)
      await other.write([session('b')], NOW)
      expect(await keysIn(driver, 'u')).toEqual(['a'])
      await driver.clear()
      expect(await keysIn(driver)).toEqual([])
      expect(await keysIn(other)).toEqual(['b'])
      expect(database.prepare('SELECT count(*) FROM mine').pluck().get()).toBe(1)
      const names = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?")
        .pluck()
      expect(names.get(table)).toBe(table)
    },
  )
})
