import { describeWith } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { tryLogouts, trySaves } from '../src/freshness/trial.ts'
import { startPlace } from '../src/rounds/attack.ts'

/** Small numbers keep the test short. `npx -y pnpm@12 freshness` makes 10,000 logouts. */
const LOGOUTS = 100

for (const database of ['redis', 'postgres'] as const)
  describeWith(
    database,
    () => startPlace(database, 1),
    ({ direct }) => {
      it('a logout is seen at once in its own process, and within freshness in another', async () => {
        const result = await tryLogouts(database, direct, LOGOUTS)
        expect(result).toMatchObject({ tooLate: 0, own: 0 })
        // Where lookups always asked the database, the test would prove nothing.
        expect(result.seenAfter).toBeGreaterThan(LOGOUTS / 4)
      })

      it('two processes that answer from memory lose no update', async () => {
        expect(await trySaves(database, direct, 20, 10)).toEqual({ saves: 400, lost: 0 })
      })
    },
  )
