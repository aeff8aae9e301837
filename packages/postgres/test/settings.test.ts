import { type Deployment, driverSuite } from '@session-stores/driver-suite'
import { postgresServers } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { postgresDriver } from '../src/index.ts'
import { NOW, newTable, session, toolsFor } from './support/servers.ts'

const formats = {
  TimeZone: 'America/St_Johns',
  DateStyle: 'SQL, DMY',
  search_path: 'nowhere',
  bytea_output: 'escape',
  extra_float_digits: '-15',
}
const encoding = {
  client_encoding: 'LATIN1',
  standard_conforming_strings: 'off',
  quote_all_identifiers: 'on',
}

// The newest server is enough, because settings mean the same on the older ones.
describe.each(postgresServers.slice(-1))('$name', ({ start }) => {
  describeWith('the settings of a connection', start, (server) => {
    const { pool, poolOf, driverOf } = toolsFor(server)

    /** Returns a pool whose connections have these settings, even those that pg itself sets. */
    function poolSetTo(settings: Record<string, string>): pg.Pool {
      const odd = poolOf({ max: 4 })
      odd.on('connect', (client) => {
        for (const [name, value] of Object.entries(settings)) client.query(`SET ${name} TO '${value}'`)
      })
      return odd
    }

    const createDeployment = (): Deployment => {
      const table = newTable()
      const odd = poolSetTo({ ...formats, ...encoding })
      const driver = () => postgresDriver({ pool: odd, table })
      return {
        drivers: [driver(), driver()],
        dispose: async () => void (await pool.query(`DROP TABLE IF EXISTS ${table}`)),
      }
    }
    driverSuite({ describe, it }, createDeployment, { only: ['contract'] })

    it.each([
      ['time zone and formats', formats],
      ['encoding', encoding],
      ['isolation', { default_transaction_isolation: 'serializable' }],
    ])('change nothing: %s', async (_, settings) => {
      const plain = await driverOf()
      const lent = poolSetTo(settings)
      for (const [name, value] of Object.entries(settings))
        expect((await lent.query(`SELECT current_setting('${name}') AS value`)).rows).toEqual([{ value }])
      const odd = await driverOf({ pool: lent, table: plain.table })
      const rows = [
        session('a', { data: '{"name":"Ωμέγα 😀\0"}' }),
        session('b', { data: '{"name":"Zoë"}', user: 'u' }),
      ]
      await odd.write(rows, NOW)
      const stored = rows.map(({ expect: _, ...row }) => row)
      expect(await plain.read(['a', 'b'])).toMatchObject(stored)
      expect(await odd.read(['a', 'b'])).toMatchObject(stored)
      const logouts = Array.from({ length: 20 }, (_, i) =>
        odd.write(
          ['c', 'd'].map((key) => session(key, { data: null, expect: undefined, tag: `tag-${i}` })),
          NOW,
        ),
      )
      expect(await Promise.all(logouts)).toEqual(logouts.map(() => ['c', 'd']))
      expect(await plain.count(NOW)).toBe(2)
    })

    it('and a database in another encoding keep every character', async () => {
      const database = newTable()
      await pool.query(`CREATE DATABASE ${database} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
      after(() => pool.query(`DROP DATABASE ${database}`))
      const driver = await driverOf({
        pool: poolOf({ database, connectionString: undefined, ...partsOf(server.url) }),
      })
      const data = '{"name":"Ωμέγα 😀\0=","more":"=\n"}'
      await driver.write(
        [session('a', { data }), session('b', { data: '=' }), session('c', { data: '' })],
        NOW,
      )
      expect((await driver.read(['a', 'b', 'c'])).map((row) => row.data).sort()).toEqual(
        ['', '=', data].sort(),
      )
    })
  })
})

function partsOf(url: string): pg.PoolConfig {
  const { hostname, port, username, password } = new URL(url)
  return {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  }
}
