import { postgresServers } from '@session-stores/testbed'
import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { ddl, PostgresStore, postgresDriver } from '../src/index.ts'
import { NOW, newTable, session, toolsFor } from './support/servers.ts'

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('the table', start, (server) => {
    const { pool, poolOf, driverOf, one, newSchema } = toolsFor(server)

    it.each([`we"ird`, `it's`, 'a b', 'a;DROP TABLE x;--', 'Übung', 'select', '$1', 'x'.repeat(51)])(
      'and its schema may be called %j',
      async (name) => {
        const schema = await newSchema(`${name}${process.pid}`.slice(-63))
        const driver = await driverOf({ schema, table: name })
        const other = await driverOf({ schema, table: 'sessions' })
        await driver.write([session('a', { user: 'u' }), session('b')], NOW)
        await other.write([session('c')], NOW)
        expect((await driver.list({ user: 'u', limit: 9 })).keys).toEqual(['a'])
        await driver.clear()
        expect((await driver.list({ limit: 9 })).keys).toEqual([])
        expect((await other.list({ limit: 9 })).keys).toEqual(['c'])
        const indexes = `SELECT count(*)::int FROM pg_indexes WHERE schemaname = $1 AND tablename = $2`
        expect(await one(indexes, [schema, name])).toBe(3)
      },
    )

    it('is made once by drivers that start together, on several tables', async () => {
      const schema = await newSchema(newTable())
      const drivers = ['one', 'two', 'three'].flatMap((table) =>
        Array.from({ length: 10 }, () => postgresDriver({ url: server.url, schema, table })),
      )
      for (const driver of drivers) after(() => driver.close())
      await Promise.all(drivers.map((driver) => driver.setup()))
      await Promise.all(drivers.map((driver, i) => driver.write([session(`key-${i}`)], NOW)))
      expect(await Promise.all(drivers.map((driver) => driver.count(NOW)))).toEqual(drivers.map(() => 10))
    })

    it('may be made by the SQL of ddl(), for a role that may only use the table', async () => {
      const schema = await newSchema(newTable())
      const role = `${schema}_role`
      await pool.query(
        `CREATE ROLE ${role}; GRANT ${role} TO CURRENT_USER; GRANT USAGE ON SCHEMA ${schema} TO ${role}`,
      )
      after(() => pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
      const restricted = poolOf({ options: `-c role=${role}` })
      const options = { pool: restricted, schema, table: 'sessions' }
      await expect(driverOf(options)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
      await expect(driverOf({ ...options, createTable: false })).rejects.toMatchObject({
        code: 'BAD_STORAGE',
      })
      await pool.query(ddl({ schema }))
      await pool.query(ddl({ schema }))
      const driver = await driverOf(options)
      await expect(driver.read(['a'])).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
      await pool.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.sessions TO ${role}`)
      expect(await driver.write([session('a'), session('b')], NOW)).toEqual(['a', 'b'])
      await driver.touch([{ key: 'a', user: null, expiresAt: NOW }], NOW)
      expect(await driver.prune(NOW + HOUR, 10)).toBe(1)
      await driver.clear()
    })

    it('of another store is refused and stays as it is', async () => {
      const table = newTable()
      await pool.query(`CREATE TABLE ${table} (sid varchar PRIMARY KEY, sess json, expire timestamp(6))`)
      await expect(driverOf({ table })).rejects.toMatchObject({ code: 'BAD_STORAGE' })
      await pool.query(`ALTER TABLE ${table} RENAME sid TO key`)
      await expect(driverOf({ table })).rejects.toMatchObject({ code: 'BAD_STORAGE' })
    })

    it('is made again by the next call after it was dropped', async () => {
      const table = newTable()
      const store = new PostgresStore({ pool, table, pruneInterval: false })
      const plain = { cookie: { originalMaxAge: null } } as never
      await store.set('id', plain)
      await pool.query(`DROP TABLE ${table}`)
      await expect(store.get('id')).rejects.toMatchObject({ code: 'BAD_STORAGE' })
      expect(await store.get('id')).toBeNull()
      await store.set('id', plain)
      expect(await store.get('id')).toEqual(plain)
      expect(await store.prune()).toBe(0)
      await store.close()
    })

    it('may have columns of your own, and be partitioned', async () => {
      const table = newTable()
      await pool.query(`
        CREATE TABLE ${table} (key text PRIMARY KEY, note text, tag text NOT NULL, owner text, data text,
          created_at bigint NOT NULL, expires_at bigint NOT NULL, purge_at bigint NOT NULL) PARTITION BY HASH (key);
        CREATE TABLE ${table}_0 PARTITION OF ${table} FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE ${table}_1 PARTITION OF ${table} FOR VALUES WITH (MODULUS 2, REMAINDER 1)`)
      const driver = await driverOf({ table })
      const keys = keysOf(50)
      expect(
        await driver.write(
          keys.map((key) => session(key)),
          NOW,
        ),
      ).toHaveLength(50)
      const updates = keys.map((key) => session(key, { expect: 'tag', tag: 'tag2' }))
      expect(await driver.write(updates, NOW)).toHaveLength(50)
      await driver.touch(
        keys.map((key) => ({ key, user: null, expiresAt: NOW })),
        NOW,
      )
      expect(await driver.prune(NOW + HOUR, 100)).toBe(50)
    })
  })
})
