import { postgresServers } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { NOW, opened, session } from './support.ts'

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('statements', start, (server) => {
    const { poolOf, driverOf } = opened(server)

    it.each([true, false])('namedStatements: %s', async (namedStatements) => {
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
    })

    it('a pooler that mixes prepared statements up is told from other faults', async () => {
      const single = poolOf({ max: 1 })
      const driver = await driverOf({ pool: single })
      await driver.read(['a'])
      await single.query('DEALLOCATE ALL')
      await expect(driver.read(['a'])).rejects.toMatchObject({
        code: 'BACKEND',
        message: expect.stringContaining('namedStatements'),
      })
      // The pool has opened another connection.
      expect(await driver.read(['a'])).toEqual([])
    })

    it('a pool that was lent stays open, and its parsers are left alone', async () => {
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
