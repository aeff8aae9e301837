import pg from 'pg'
import { expect, test } from 'vitest'
import { pgbouncer } from '../src/pgbouncer.ts'
import { postgres, postgresProcess } from '../src/postgres.ts'
import { postgresServers } from '../src/postgres-versions.ts'
import { recordServer } from '../src/ran-on.ts'
import { dockerAnswers, fromDocker } from '../src/sources.ts'
import { describeWith } from '../src/vitest.ts'

async function query(url: string, text: string): Promise<Record<string, unknown>> {
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
    return (await client.query(text)).rows[0]
  } finally {
    await client.end()
  }
}

for (const { name, start } of postgresServers) {
  const configured = () => start({ args: ['-c', 'max_connections=7'], password: 'p@ss/w:rd' })
  describeWith(name, configured, (server) => {
    test('accepts arguments, and requires the password', async () => {
      expect(await query(server.url, 'SHOW max_connections')).toEqual({ max_connections: '7' })
      await expect(query(server.url.replace(/:[^:]*@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(/password/)
    })

    test('keeps committed rows after a kill and a restart', async () => {
      await query(server.url, 'CREATE TABLE kept AS SELECT 42 AS value')
      await server.kill()
      await server.start()
      expect(await query(server.url, 'SELECT value FROM kept')).toEqual({ value: 42 })
    })
  })
}

describeWith('the second PostgreSQL', postgresServers[1]!.start, (server) => {
  test('is version 18 from npm', () => {
    expect(server).toMatchObject({
      source: 'fetched',
      version: expect.stringMatching(/^postgres 18\.\d+$/),
    })
  })
})

describeWith('a PostgreSQL behind PgBouncer', postgresProcess, (server) => {
  describeWith(
    'the pooler',
    () => pgbouncer({ server, poolSize: 1 }),
    (pooler) => {
      test('gives its only connection to each transaction in turn', async () => {
        expect(pooler.version).toMatch(/^pgbouncer \d+\.\d+\.\d+$/)
        const clients = [pooler.url, pooler.url].map(
          (connectionString) => new pg.Client({ connectionString }),
        )
        try {
          const pids: number[] = []
          for (const client of clients) await client.connect()
          for (const client of [...clients, ...clients]) {
            pids.push((await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid)
          }
          expect(new Set(pids).size).toBe(1)
        } finally {
          for (const client of clients) await client.end()
        }
      })

      test('restarts, even while its PostgreSQL is down', async () => {
        await pooler.kill()
        await expect(query(pooler.url, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/)
        await server.kill()
        await pooler.start()
        await server.start()
        expect(await query(pooler.url, 'SELECT 1 AS one')).toEqual({ one: 1 })
      })
    },
  )
})

const startWithPassword = () => postgresProcess({ password: 'p@ss/w:rd' })
describeWith('a PostgreSQL with a password, behind PgBouncer', startWithPassword, (server) => {
  const narrow = () => pgbouncer({ server, settings: { max_client_conn: 1 } })
  describeWith('the pooler', narrow, (pooler) => {
    test('accepts settings, and uses the password of its server', async () => {
      const client = new pg.Client({ connectionString: pooler.url })
      try {
        await client.connect()
        expect((await client.query('SELECT current_user')).rows).toEqual([{ current_user: 'postgres' }])
        await expect(query(pooler.url, 'SELECT 1')).rejects.toThrow(/no more connections/)
      } finally {
        await client.end()
      }
    })
  })
})

test('Docker starts a PostgreSQL that answers, and removes the container', async (context) => {
  if (!(await dockerAnswers())) context.skip('no Docker daemon answers')
  const server = await fromDocker(postgres)
  recordServer(context.task, server)
  expect(server.source).toBe('docker')
  expect(await query(server.url, 'SELECT 1 AS one')).toEqual({ one: 1 })
  await server.stop()
  await expect(postgres.identify(server.url)).rejects.toThrow()
})
