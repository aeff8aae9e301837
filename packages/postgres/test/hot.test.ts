import { postgresServers } from '@session-stores/testbed'
import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { NOW, session, toolsFor } from './support/servers.ts'

/** Vacuum has its usual thresholds, but checks them each second instead of each minute. */
const options = { args: ['-c', 'autovacuum_naptime=1s'] }

const SESSIONS = 2000
/** The test takes more minutes while the table still grows, because a vacuum may come late. */
const MIN_MINUTES = 10
const MAX_MINUTES = 30
/** The table has stopped growing when it was not larger for this many minutes. */
const STEADY_MINUTES = 5

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith(
    'ten minutes of touches and saves',
    () => start(options),
    (server) => {
      const { driverOf, one } = toolsFor(server)

      it('change no index (HOT), and the table and its indexes stop growing', {
        timeout: 120_000,
      }, async () => {
        const driver = await driverOf()
        const { table } = driver
        const keys = keysOf(SESSIONS)
        const write = (some: readonly string[], tag: string, now: number, expect?: string) =>
          driver.write(
            some.map((key) =>
              session(key, { user: 'u', data: 'x'.repeat(500), tag, expect, expiresAt: now + HOUR }),
            ),
            now,
          )
        await write(keys, 'tag-0', NOW)
        const counter = (name: string) =>
          one(`SELECT ${name}::int FROM pg_stat_user_tables WHERE relname = $1`, [table]) as Promise<number>
        const size = () =>
          one('SELECT pg_total_relation_size($1::text::regclass)::int', [table]) as Promise<number>

        let updates = 0
        const sizes: number[] = []
        // Free space is used again, and a vacuum that came late explains a page or two more.
        const isSteady = () =>
          Math.max(...sizes.slice(-STEADY_MINUTES)) <= 1.02 * Math.max(...sizes.slice(0, -STEADY_MINUTES))
        for (let minute = 1; minute <= MIN_MINUTES || !isSteady(); minute++) {
          expect(minute, `the table still grows: ${sizes.join()}`).toBeLessThanOrEqual(MAX_MINUTES)
          // Each second, a sixtieth of the users load a page, and a tenth of these change their
          // session.
          for (let second = 0; second < 60; second++) {
            const now = NOW + (minute * 60 + second) * 1000
            const some = keys.filter((_, i) => i % 60 === second)
            await driver.touch(
              some.map((key) => ({ key, user: 'u', expiresAt: now + HOUR })),
              now,
            )
            const saved = some.filter((_, i) => i % 10 === 0)
            expect(await write(saved, `tag-${minute}`, now, `tag-${minute - 1}`)).toHaveLength(saved.length)
            updates += some.length + saved.length
          }
          const vacuums = await counter('autovacuum_count')
          // The server's processes report their counts about once a second.
          await expect.poll(() => counter('n_tup_upd')).toBe(updates)
          if ((await counter('n_dead_tup')) > 50 + 0.05 * SESSIONS)
            await expect.poll(() => counter('autovacuum_count')).toBeGreaterThan(vacuums)
          sizes.push(await size())
        }
        expect((await counter('n_tup_hot_upd')) / updates).toBeGreaterThanOrEqual(0.95)
      })
    },
  )
})
