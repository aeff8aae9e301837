import { type ProcessServer, pgbouncer, postgresProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { expect, test } from 'vitest'
import { expectFound, expectHealthy } from '../doctor.ts'
import { flagsOf, newPlace, openStore, type Place, saveSessions } from '../places.ts'

/** The faults of a PostgreSQL. */
export function declarePostgres(): void {
  describeWith('doctor on PostgreSQL', postgresProcess, (server: ProcessServer) => {
    async function run(sql: string): Promise<void> {
      const client = new pg.Client(server.url)
      await client.connect()
      try {
        for (const statement of sql.split(';')) await client.query(statement)
      } finally {
        await client.end()
      }
    }

    /** Makes the table of a store with a session. */
    async function makeTable(): Promise<Place> {
      const place = newPlace('postgres', server.url)
      await saveSessions(openStore(place), 1)
      after(() => run(`DROP TABLE IF EXISTS ${place.namespace}`))
      return place
    }

    test('says that a PostgreSQL with its defaults is healthy', async () => {
      await expectHealthy(flagsOf(await makeTable()))
    })

    test.each([
      ['postgres/fsync', 'fsync'],
      ['postgres/full-page-writes', 'full_page_writes'],
      ['postgres/autovacuum', 'autovacuum'],
      ['postgres/synchronous-commit', 'synchronous_commit'],
    ])('finds %s', async (id, setting) => {
      const place = await makeTable()
      after(() => run(`ALTER SYSTEM RESET ${setting};SELECT pg_reload_conf()`))
      await run(`ALTER SYSTEM SET ${setting} = off;SELECT pg_reload_conf()`)
      await expectFound([id], flagsOf(place))
    })

    test('finds postgres/read-only', async () => {
      const place = await makeTable()
      const url = `${server.url}?options=${encodeURIComponent('-c default_transaction_read_only=on')}`
      await expectFound(['postgres/read-only'], flagsOf({ ...place, url }))
    })

    test('finds postgres/no-table, and makes none', async () => {
      const place = newPlace('postgres', server.url)
      await expectFound(['postgres/no-table'], flagsOf(place))
      await expect(run(`TABLE ${place.namespace}`)).rejects.toThrow('does not exist')
    })

    test('finds postgres/columns', async () => {
      const place = newPlace('postgres', server.url)
      await run(`CREATE TABLE ${place.namespace} (key text, data text)`)
      after(() => run(`DROP TABLE ${place.namespace}`))
      await expectFound(['postgres/columns'], flagsOf(place))
    })

    test.each([
      ['postgres/indexes', (table: string) => `DROP INDEX ${table}_by_owner`],
      ['postgres/unlogged', (table: string) => `ALTER TABLE ${table} SET UNLOGGED`],
      ['postgres/never-pruned', (table: string) => `UPDATE ${table} SET purge_at = 1, expires_at = 2`],
      ['rows/unreadable', (table: string) => `UPDATE ${table} SET data = 'nonsense'`],
      ['rows/too-new', (table: string) => `UPDATE ${table} SET data = 'format:9:newer'`],
      ['rows/unhashed', (table: string) => `UPDATE ${table} SET key = 'an id'`],
    ])('finds %s', async (id, damage) => {
      const place = await makeTable()
      await run(damage(place.namespace))
      await expectFound([id], flagsOf(place))
    })

    test('finds postgres/rights', async () => {
      const place = await makeTable()
      await run(`CREATE ROLE reader LOGIN;GRANT SELECT ON ${place.namespace} TO reader`)
      after(() => run('DROP ROLE reader'))
      after(() => run(`REVOKE ALL ON ${place.namespace} FROM reader`))
      const url = server.url.replace('postgres@', 'reader@')
      const report = await expectFound(['postgres/rights'], flagsOf({ ...place, url }))
      expect(report.findings[0]!.message).toContain('insert, update, delete')
    })

    test('finds legacy/connect-pg-simple in any table', async () => {
      const place = await makeTable()
      after(() => run('DROP TABLE visits'))
      await run(
        `CREATE TABLE visits (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL);
         INSERT INTO visits VALUES ('id', '{"cookie":{}}', now())`,
      )
      const report = await expectFound(['legacy/connect-pg-simple'], flagsOf(place))
      expect(report.findings[0]!.message).toContain('table public.visits')
    })

    test('finds postgres/pooler behind a PgBouncer that keeps no statements', async () => {
      const place = await makeTable()
      await using pooler = await pgbouncer({ server })
      await expectFound(['postgres/pooler'], flagsOf({ ...place, url: pooler.url }))
    })

    test('finds no fault in a PgBouncer in session mode', async () => {
      const place = await makeTable()
      await using pooler = await pgbouncer({ server, settings: { pool_mode: 'session' } })
      await expectHealthy(flagsOf({ ...place, url: pooler.url }))
    })
  })
}
