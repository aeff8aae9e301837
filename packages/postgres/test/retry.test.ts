import type { Socket } from 'node:net'
import { postgresServers, startProxy } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import type { PostgresPool } from '../src/index.ts'
import { NOW, newTable, opened, session } from './support/servers.ts'

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('a connection that breaks', start, (server) => {
    const { pool, poolOf, driverOf, one } = opened(server)

    it.each([
      ['owned', 'ended by the server'],
      ['lent', 'ended by the server'],
      ['lent', 'cut'],
    ] as const)('is no reason to send a write again (%s pool, %s)', async (kind, end) => {
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
      const lock = await pool.connect()
      after(() => lock.release(true))
      await lock.query(`BEGIN; SELECT FROM ${table} FOR UPDATE`)
      const update = (key: string) => session(key, { expect: 'tag', tag: 'new', data: 'changed' })
      const calls = [driver.write([update('a')], NOW), driver.write([update('a'), update('b')], NOW)]
      const outcomes = Promise.allSettled(calls)
      const backends = `FROM pg_stat_activity WHERE application_name = $1`
      await vi.waitFor(async () =>
        expect(await one(`SELECT count(*)::int ${backends} AND wait_event_type = 'Lock'`, [table])).toBe(2),
      )
      if (end === 'cut') for (const socket of sockets) socket.destroy()
      else await pool.query(`SELECT pg_terminate_backend(pid, 5000) ${backends}`, [table])
      for (const outcome of await outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } })
      await lock.query('COMMIT')
      if (kind === 'lent') expect(sent).toBe(2)
      // A connection that was cut leaves its statement behind, which may still land.
      if (end === 'cut') return
      expect(await driver.read(['a', 'b'])).toMatchObject([{ tag: 'tag' }, { tag: 'tag' }])
    })

    it('is no reason to send a write again whose reply was lost', async () => {
      const proxy = await startProxy(server)
      after(() => proxy.stop())
      const driver = await driverOf({ pool: undefined, url: proxy.through(server.url) } as never)
      await driver.write([session('a')], NOW)
      const lost = proxy.loseNextReply()
      // Sent again it would find its own tag, and be answered.
      const write = session('a', { expect: 'tag', tag: 'new' })
      await expect(driver.write([write], NOW)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await lost
      expect(await driver.read(['a'])).toMatchObject([{ tag: 'new' }])
      // A caller that sends it again is told that it landed.
      expect(await driver.write([write], NOW)).toEqual(['a'])
    })
  })
})
