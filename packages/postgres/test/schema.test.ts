import type { Schema, Write } from '@session-stores/core'
import { postgresServers } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { PostgresStore, postgresDriver } from '../src/index.ts'
import { type Step, toTableSql } from '../src/schema.ts'
import { NOW, newTable, session, toolsFor } from './support/servers.ts'

/** A schema as a later version of the package may have it: it adds, so older processes go on. */
const later: Schema<Step> = {
  minimum: 1,
  steps: [(table) => `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS device text NOT NULL DEFAULT 'unknown'`],
}
/** A schema that no older process can use. */
const breaking: Schema<Step> = {
  minimum: 3,
  steps: [...later.steps, (table) => `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS place text`],
}

/** Rows that were released, so that every version must read them. Add others, and never change these. */
const released =
  `('session', 'tag-1', '${'u'.repeat(43)}', 1700000000000, 4099999999999, 4099999940000, '{"name":"Ada"}'),
  ('nobody', 'tag-2', NULL, 1700000000000, 4099999999999, 4099999940000, '={"name":"Übung"}'),
  ('tombstone', 'tag-3', NULL, 1700000000000, 4099999999999, 4099999940000, NULL)`.replace(
    '={"name":"Übung"}',
    `=${Buffer.from('{"name":"Übung"}').toString('base64')}`,
  )

const [{ name, start }] = postgresServers as [(typeof postgresServers)[number]]

describeWith(`${name}, the schema of a table`, start, (server) => {
  const { pool, one } = toolsFor(server)

  function opened(table: string, schema?: Schema<Step>, createTable = true) {
    const driver = postgresDriver({ pool, table, createTable }, schema)
    after(() => driver.close())
    return driver
  }
  function tableOf(): string {
    const table = newTable()
    after(() => pool.query(`DROP TABLE IF EXISTS ${table}`))
    return table
  }
  const comment = (table: string) =>
    one(`SELECT col_description('${table}'::regclass, attnum) FROM pg_attribute
      WHERE attrelid = '${table}'::regclass AND attname = 'data'`)

  it('leaves no mark as long as it is the first', async () => {
    const table = tableOf()
    await opened(table).setup()
    expect(await comment(table)).toBeNull()
  })

  it('that was released is read', async () => {
    const table = tableOf()
    const driver = opened(table)
    await driver.setup()
    await pool.query(
      `INSERT INTO ${table} (key, tag, owner, created_at, expires_at, purge_at, data) VALUES ${released}`,
    )
    const times = { createdAt: 1_700_000_000_000, expiresAt: 4_099_999_999_999 }
    expect(await driver.read(['nobody', 'session', 'tombstone'])).toEqual(
      expect.arrayContaining([
        { key: 'session', tag: 'tag-1', user: 'u'.repeat(43), data: '{"name":"Ada"}', ...times },
        { key: 'nobody', tag: 'tag-2', user: null, data: '{"name":"Übung"}', ...times },
        { key: 'tombstone', tag: 'tag-3', user: null, data: null, ...times },
      ]),
    )
  })

  it('is brought up to date once, while an older process goes on', async () => {
    const table = tableOf()
    const old = opened(table)
    await old.setup()
    expect(await old.write([session('a', { user: 'u' }), session('b')], NOW)).toEqual(['a', 'b'])
    const drivers = Array.from({ length: 5 }, () => opened(table, later))
    let goesOn = true
    const work = (async () => {
      for (let i = 0; goesOn; i++) {
        const [row] = await old.read(['a'])
        const write: Write = { ...row!, tag: `tag-${i}`, expect: row!.tag }
        expect(await old.write([write], NOW)).toEqual(['a'])
        await old.touch([{ key: 'b', user: null, expiresAt: NOW + HOUR + i }], NOW)
      }
    })()
    await Promise.all(drivers.map((driver) => driver.setup()))
    goesOn = false
    await work
    expect(await comment(table)).toBe('session-stores schema 2, minimum 1')
    // A process of the old version that begins now changes nothing.
    const another = opened(table)
    await another.setup()
    expect(await comment(table)).toBe('session-stores schema 2, minimum 1')
    expect(await another.write([session('c')], NOW)).toEqual(['c'])
    expect(await one(`SELECT count(*)::int FROM ${table} WHERE device = 'unknown'`)).toBe(3)
    expect(await drivers[0]!.count(NOW)).toBe(3)
    expect((await another.list({ user: 'u', limit: 9 })).keys).toEqual(['a'])
    await another.clear()
    expect(await old.count(NOW)).toBe(0)
  })

  it('is not taken back by a process that was slower than a newer one', async () => {
    const table = tableOf()
    await opened(table, breaking).setup()
    // What such a process sends, after it has seen the table as it was before.
    await pool.query(toTableSql('public', table, later))
    expect(await comment(table)).toBe('session-stores schema 3, minimum 3')
  })

  it('that is too new is an error of its own, and nothing is lost', async () => {
    const table = tableOf()
    const newest = opened(table, breaking)
    await newest.setup()
    await newest.write([session('a')], NOW)
    for (const schema of [undefined, later])
      await expect(opened(table, schema).setup()).rejects.toMatchObject({
        code: 'SCHEMA_TOO_NEW',
        message: expect.stringContaining('schema 3'),
      })
    const store = new PostgresStore({ pool, table, pruneInterval: false })
    await expect(store.get('id')).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' })
    await expect(store.clear()).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' })
    await store.close()
    expect(await newest.count(NOW)).toBe(1)
  })

  it('that is too old is named where the driver may not change it', async () => {
    const table = tableOf()
    await opened(table).setup()
    await expect(opened(table, later, false).setup()).rejects.toMatchObject({
      code: 'BAD_STORAGE',
      message: expect.stringContaining('ddl()'),
    })
    await pool.query(toTableSql('public', table, later))
    await opened(table, later, false).setup()
  })

  it('is not read from the comments of others, and a newer payload is not taken for text', async () => {
    const table = tableOf()
    const driver = opened(table)
    await driver.setup()
    await pool.query(`COMMENT ON COLUMN ${table}.data IS 'sessions of the shop'`)
    await opened(table).setup()
    await driver.write([session('a')], NOW)
    await pool.query(`UPDATE ${table} SET data = '==2:AAAA'`)
    expect(await driver.read(['a'])).toMatchObject([{ data: 'format:?:' }])
  })
})
