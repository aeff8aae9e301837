import type { Socket } from 'node:net'
import { lostReplySuite } from '@session-stores/driver-suite'
import { postgresServers, startProxy } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import type { PostgresPool } from '../src/index.ts'
import { NOW, newTable, session, toolsFor } from './support/servers.ts'

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const TERMINATE = 'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1'

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('a connection that breaks', start, (server) => {
    const { pool, poolOf, driverOf, begin, countBackends } = toolsFor(server)

    it.each([
      ['owned', 'ended by the server'],
      ['lent', 'ended by the server'],
      ['lent', 'cut'],
    ] as const)('does not make the driver resend a write (%s pool, %s)', async (kind, end) => {
      const table = newTable()
      let sent = 0
      const lent = poolOf({ application_name: table })
      const sockets: Socket[] = []
      lent.on('connect', (client) =>
        sockets.push((client as unknown as { connection: { stream: Socket } }).connection.stream),
      )
      const watched: PostgresPool = {
        query(query) {
          if (/INSERT|UPDATE/.test(query.text)) sent++
          return lent.query(query)
        },
      }
      const url = kind === 'owned' ? `${server.url}?application_name=${table}` : undefined
      const driver = await driverOf({ url, pool: url ? undefined : watched, table } as never)
      await driver.write([session('a'), session('b')], NOW)
      sent = 0
      const commit = await begin(`SELECT FROM ${table} FOR UPDATE`)
      const update = (key: string) => session(key, { expect: 'tag', tag: 'new', data: 'changed' })
      const calls = [driver.write([update('a')], NOW), driver.write([update('a'), update('b')], NOW)]
      const outcomes = Promise.allSettled(calls)
      await vi.waitFor(async () => expect(await countBackends(table, "wait_event_type = 'Lock'")).toBe(2))
      if (end === 'cut') for (const socket of sockets) socket.destroy()
      else await pool.query(TERMINATE, [table])
      for (const outcome of await outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } })
      await commit()
      if (kind === 'lent') expect(sent).toBe(2)
      // The statement on a connection that was cut may still land.
      if (end === 'cut') return
      expect(await driver.read(['a', 'b'])).toMatchObject([{ tag: 'tag' }, { tag: 'tag' }])
    })

    it.each(['owned', 'lent'] as const)(
      'is no matter to the calls that come next (%s pool)',
      async (kind) => {
        const table = newTable()
        const lent = poolOf({ application_name: table, max: 8 })
        const url = kind === 'owned' ? `${server.url}?application_name=${table}` : undefined
        const driver = await driverOf({ url, pool: url ? undefined : lent, table } as never)
        await driver.write([session('a')], NOW)
        const readMany = () => Promise.all(Array.from({ length: 8 }, () => driver.read(['a'])))
        await readMany()
        expect(await countBackends(table, 'true')).toBe(8)
        const { rows } = await pool.query('SELECT pid FROM pg_stat_activity WHERE application_name = $1', [
          table,
        ])
        // No turn of the event loop passes until the calls, so the pool cannot learn of the ends.
        for (const { pid } of rows) process.kill(pid, 'SIGTERM')
        while (rows.some(({ pid }) => isRunning(pid)));
        for (const found of await readMany()) expect(found).toMatchObject([{ key: 'a' }])
        expect(await driver.count(NOW)).toBe(1)
      },
    )

    describe.each(['owned', 'lent'] as const)('(%s pool)', (kind) => {
      lostReplySuite({ describe, it }, async () => {
        const proxy = await startProxy(server)
        after(() => proxy.stop())
        const url = proxy.through(server.url)
        const pool = kind === 'lent' ? poolOf({ connectionString: url }) : undefined
        const driver = await driverOf({ pool, url: pool ? undefined : url } as never)
        return { driver, loseNextReply: () => proxy.loseNextReply() }
      })
    })

    it('does not make the driver resend a write whose reply was lost', async () => {
      const proxy = await startProxy(server)
      after(() => proxy.stop())
      const driver = await driverOf({ pool: undefined, url: proxy.through(server.url) } as never)
      await driver.write([session('a')], NOW)
      const lost = proxy.loseNextReply()
      // A resend would find the write's own tag, and the call would succeed.
      const write = session('a', { expect: 'tag', tag: 'new' })
      await expect(driver.write([write], NOW)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await lost
      expect(await driver.read(['a'])).toMatchObject([{ tag: 'new' }])
      // A caller that sends the write again learns that the write landed.
      expect(await driver.write([write], NOW)).toEqual(['a'])
    })
  })
})
