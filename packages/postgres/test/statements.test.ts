import { postgresServers } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import type pg from 'pg'
import { describe, expect, it, vi } from 'vitest'
import { NOW, session, toolsFor } from './support/servers.ts'

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('statements', start, (server) => {
    const { pool, poolOf, driverOf } = toolsFor(server)

    it.each([true, false])(
      'are kept by the server as the option says (namedStatements: %s)',
      async (namedStatements) => {
        const single = poolOf({ max: 1 })
        const driver = await driverOf({ pool: single, namedStatements })
        const other = await driverOf({ pool: single, namedStatements })
        for (let i = 0; i < 10; i++)
          for (const keys of [['a'], ['a', 'b']]) {
            await driver.write(
              keys.map((key) => session(key)),
              NOW,
            )
            await other.write(
              keys.map((key) => session(key)),
              NOW,
            )
            expect(await driver.read(keys)).toHaveLength(keys.length)
          }
        const { rows } = await single.query('SELECT count(*)::int AS names FROM pg_prepared_statements')
        expect(rows[0].names).toBe(namedStatements ? 6 : 0)
      },
    )

    it('that a connection has forgotten are sent again at once', async () => {
      const single = poolOf({ max: 1 })
      const driver = await driverOf({ pool: single })
      await driver.read(['a'])
      await driver.write([session('a')], NOW)
      for (const forget of ['DISCARD ALL', 'DEALLOCATE ALL']) {
        await single.query(forget)
        expect(await driver.read(['a'])).toMatchObject([{ key: 'a' }])
        await driver.write([session('b', { tag: forget })], NOW)
        await single.query(forget)
        expect(await driver.write([session(`b-${forget}`)], NOW)).toEqual([`b-${forget}`])
      }
    })

    it('that a pooler mixed up fail with a reason of their own', async () => {
      const single = poolOf({ max: 1 })
      const driver = await driverOf({ pool: single })
      await driver.read(['a'])
      const { rows } = await single.query('SELECT name FROM pg_prepared_statements')
      const [name] = rows.map((row) => row.name).filter((name) => name.startsWith('session_stores_'))
      // The next connection already has a statement of this name, from somebody else.
      single.once('connect', (client) => client.query(`PREPARE "${name}" AS SELECT 1`))
      const { pid } = (await single.query('SELECT pg_backend_pid() AS pid')).rows[0]
      await pool.query('SELECT pg_terminate_backend($1, 5000)', [pid])
      await vi.waitFor(() => expect(single.totalCount).toBe(0))
      await expect(driver.read(['a'])).rejects.toMatchObject({
        code: 'BACKEND',
        message: expect.stringContaining('namedStatements'),
      })
      // The pool has opened another connection.
      expect(await driver.read(['a'])).toEqual([])
    })

    it('leave a lent pool open, and its parsers alone', async () => {
      const types = { getTypeParser: () => () => 'parsed' } as pg.CustomTypesConfig
      const lent = poolOf({ types })
      const driver = await driverOf({ pool: lent })
      await driver.write([session('a')], NOW)
      expect(await driver.read(['a'])).toMatchObject([{ key: 'a', createdAt: NOW }])
      await driver.close()
      await expect(driver.ping()).rejects.toMatchObject({ code: 'CLOSED' })
      expect((await lent.query('SELECT 1 AS one')).rows).toEqual([{ one: 'parsed' }])
    })
  })
})
