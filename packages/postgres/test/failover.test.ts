import { crash, endure, hang } from '@session-stores/driver-suite/outage'
import { type ProcessServer, postgresServers } from '@session-stores/testbed'
import { describeWith, report } from '@session-stores/testbed/vitest'
import { expect, it, vi } from 'vitest'
import { postgresDriver } from '../src/index.ts'
import { startPooled } from './support/pgbouncer.ts'

const until = (check: () => unknown) => vi.waitFor(check, { timeout: 30_000, interval: 10 })

/** Starts a killed server. Retries, because its backends keep its memory for a moment. */
const startAgain = async (server: ProcessServer) => void (await until(() => server.start()))

/** Kills the server, and starts it again. */
const crashOf = (server: ProcessServer) =>
  crash({ kill: () => server.kill(), start: () => startAgain(server) })

const servers = [{ name: 'PostgreSQL', start: postgresServers[0]!.start }, postgresServers[1]!]
for (const { name, start: startServer } of servers)
  describeWith(name, startServer, (server) => {
    /** Shuts the server down as services do: transactions are rolled back, connections closed. */
    async function restart(): Promise<void> {
      process.kill(server.pid!, 'SIGINT')
      await until(() => expect(server.pid).toBeUndefined())
      await startAgain(server)
    }

    it.for([
      ['killed, and started again', crashOf(server)],
      ['restarted', { strike: restart }],
    ] as const)('%s', async ([, outage], context) => {
      const figures = await endure(postgresDriver({ url: server.url }), outage)
      report(context, { server: server.version, ...figures })
      expect(figures).toMatchObject({ lost: 0, undone: 0 })
    })
  })

// PgBouncer tries a server that went away again after 15 seconds by default.
const startPrompt = () => startPooled({ settings: { server_login_retry: 1 } })

describeWith('PgBouncer', startPrompt, ({ pooler, server }) => {
  it.for([
    ['killed, and started again', crash(pooler)],
    ['silent for a while', hang(pooler)],
    [
      'its PostgreSQL is killed, and started again',
      crash({ kill: () => server.kill(), start: () => server.start() }),
    ],
  ] as const)('%s', async ([, outage], context) => {
    const figures = await endure(postgresDriver({ url: pooler.url, namedStatements: false }), outage)
    report(context, { server: `${pooler.version}, ${server.version}`, ...figures })
    expect(figures).toMatchObject({ lost: 0, undone: 0 })
  })
})

const asynchronous = () => postgresServers[0]!.start({ args: ['-c', 'synchronous_commit=off'] })

describeWith('PostgreSQL with synchronous_commit = off', asynchronous, (server) => {
  it('killed, and started again', async (context) => {
    const figures = await endure(postgresDriver({ url: server.url }), crashOf(server))
    // The server may lose what it acknowledged in the last moments. The store promises nothing here.
    report(context, { server: server.version, ...figures })
  })
})
