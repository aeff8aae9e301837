import { databaseIds } from '@session-stores/testbed/databases'
import { describeWith } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { Lab } from '../src/histories/lab.ts'
import { startPlace } from '../src/histories/place.ts'
import { ROLLING } from '../src/upgrades/store.ts'

/**
 * Processes of two versions on one database, while faults strike. With a released version:
 * `npx -y pnpm@12 histories --old <tag>`.
 */
const HISTORIES = 30
const FAULTS = 3

for (const database of databaseIds)
  describeWith(
    database,
    () => startPlace(database),
    (place) => {
      it('in the middle of a rolling deploy, nothing is lost and nothing comes back', async () => {
        await using lab = await Lab.start(place, ROLLING)
        const round = await lab.play({ seed: 1, histories: HISTORIES, faults: FAULTS })
        expect(round).toMatchObject({ violations: [], undecided: 0 })
        expect(round.codes).not.toHaveProperty('FORMAT_TOO_NEW')
        expect(round.codes).not.toHaveProperty('CORRUPT')
        expect(round.operations - round.unanswered).toBeGreaterThan(HISTORIES * 30)
      }, 120_000)

      it('beside a version that was set too early, an older one only fails', async () => {
        await using lab = await Lab.start(place, [{}, { writes: 2 }, { writes: 2 }])
        const round = await lab.play({ seed: 2, histories: HISTORIES, faults: FAULTS })
        expect(round).toMatchObject({ violations: [], undecided: 0 })
        expect(round.codes.FORMAT_TOO_NEW).toBeGreaterThan(HISTORIES)
        expect(round.codes).not.toHaveProperty('CORRUPT')
      }, 120_000)
    },
  )
