import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Schema, Write } from '@session-stores/core'
import { driverSuite } from '@session-stores/driver-suite'
import { HOUR } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { SqliteStore, sqliteDriver } from '../src/index.ts'
import type { Step } from '../src/schema.ts'
import { databaseOf, NOW, newFile, session } from './support/files.ts'

/** A schema as a later version of the package may have it: it adds, so older processes go on. */
const later: Schema<Step> = {
  minimum: 1,
  steps: [(table) => `ALTER TABLE ${table} ADD COLUMN device TEXT NOT NULL DEFAULT 'unknown'`],
}
/** A schema that no older process can use. */
const breaking: Schema<Step> = {
  minimum: 3,
  steps: [...later.steps, (table) => `ALTER TABLE ${table} ADD COLUMN place TEXT`],
}

describe('the schema of a table', () => {
  function opened(path: string, schema?: Schema<Step>, table?: string) {
    const driver = sqliteDriver({ path, ...(table && { table }) }, schema)
    after(() => driver.close())
    return driver
  }
  const versions = (path: string) =>
    databaseOf(path).prepare('SELECT * FROM session_stores_schema ORDER BY name').all()

  it('leaves no mark as long as it is the first', async () => {
    const path = newFile()
    await opened(path).setup()
    const tables = databaseOf(path)
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .pluck()
      .all()
    expect(tables).toEqual(['sessions'])
  })

  it('that was released is read', async () => {
    const path = newFile()
    const driver = opened(path)
    await driver.setup()
    // Every version must read these rows. Add others, and never change these.
    databaseOf(
      path,
    ).exec(`INSERT INTO sessions (key, tag, user, created_at, expires_at, purge_at, data) VALUES
      ('session', 'tag-1', 'ada', 1700000000000, 4099999999999, 4099999999999, '{"name":"Übung"}'),
      ('tombstone', 'tag-2', NULL, 1700000000000, 4099999999999, 4099999999999, NULL)`)
    const times = { createdAt: 1_700_000_000_000, expiresAt: 4_099_999_999_999 }
    expect(await driver.read(['session', 'tombstone'])).toEqual([
      { key: 'session', tag: 'tag-1', user: 'ada', data: '{"name":"Übung"}', ...times },
      { key: 'tombstone', tag: 'tag-2', user: null, data: null, ...times },
    ])
  })

  it('is brought up to date once, while an older process goes on', async () => {
    const path = newFile()
    const old = opened(path)
    await old.setup()
    await old.write([session('a', { user: 'u' }), session('b')], NOW)
    for (let i = 0; i < 3; i++) {
      const driver = opened(path, later)
      await driver.setup()
      const [row] = await old.read(['a'])
      const write: Write = { ...row!, tag: `new-${i}`, expect: row!.tag }
      expect(await old.write([write], NOW)).toEqual(['a'])
      await old.touch([{ key: 'b', user: null, expiresAt: NOW + HOUR + i }], NOW)
      expect(await driver.count(NOW)).toBe(2)
    }
    expect(versions(path)).toEqual([{ name: 'sessions', version: 2, minimum: 1 }])
    const another = opened(path)
    await another.setup()
    await another.write([session('c')], NOW)
    const devices = databaseOf(path).prepare('SELECT device FROM sessions').pluck().all()
    expect(devices).toEqual(['unknown', 'unknown', 'unknown'])
    expect(versions(path)).toEqual([{ name: 'sessions', version: 2, minimum: 1 }])
    expect((await another.list({ user: 'u', limit: 9 })).keys).toEqual(['a'])
    await another.clear()
    expect(await old.count(NOW)).toBe(0)
  })

  it('that is too new is an error of its own, and nothing is lost or made', async () => {
    const path = newFile()
    const newest = opened(path, breaking)
    await newest.setup()
    await newest.write([session('a')], NOW)
    databaseOf(path).exec('DROP INDEX sessions_by_user')
    for (const schema of [undefined, later])
      expect(() => opened(path, schema).setup()).toThrow(expect.objectContaining({ code: 'SCHEMA_TOO_NEW' }))
    const store = new SqliteStore({ path, pruneInterval: false })
    await expect(store.get('id')).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' })
    await expect(store.clear()).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' })
    await store.close()
    expect(await newest.count(NOW)).toBe(1)
    const index = databaseOf(path)
      .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sessions_by_user'")
      .get()
    expect(index).toBeUndefined()
  })

  it('is each table’s own, in a database that the application lent, too', async () => {
    const path = newFile()
    const database = databaseOf(path)
    database.pragma('user_version = 7')
    database.defaultSafeIntegers(true)
    for (const [table, schema] of [
      ['one', breaking],
      ['two', later],
      ['three', undefined],
    ] as const) {
      const driver = sqliteDriver({ database, table }, schema)
      await driver.setup()
      await driver.setup()
    }
    expect(versions(path)).toEqual([
      { name: 'one', version: 3, minimum: 3 },
      { name: 'two', version: 2, minimum: 1 },
    ])
    expect(database.pragma('user_version', { simple: true })).toBe(7n)
  })

  it('stays as it was where a step fails', async () => {
    const path = newFile()
    await opened(path).setup()
    const failing: Schema<Step> = {
      minimum: 1,
      steps: [...later.steps, () => 'ALTER TABLE nothing ADD COLUMN x'],
    }
    expect(() => opened(path, failing).setup()).toThrow()
    const columns = databaseOf(path).prepare("SELECT name FROM pragma_table_info('sessions')").pluck().all()
    expect(columns).not.toContain('device')
    await opened(path, later).setup()
  })

  it('has a table that no store may take for its sessions', () => {
    expect(() => sqliteDriver({ path: newFile(), table: 'Session_Stores_Schema' })).toThrow(/'table'/)
  })
})

describe('a table that two versions share', () => {
  driverSuite(
    { describe, it },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
      const path = join(folder, 'sessions.db')
      return {
        drivers: [sqliteDriver({ path }), sqliteDriver({ path }, later)],
        ownDatabase: true,
        dispose: () => rmSync(folder, { recursive: true }),
      }
    },
    { only: ['contract'] },
  )
})
