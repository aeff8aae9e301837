import { databaseIds } from '@session-stores/testbed/databases'
import { describeWith } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { attack, startPlace } from '../src/rounds/attack.ts'

/** A small number keeps the test short. `npx -y pnpm@12 rounds` plays 10,000 rounds. */
const ROUNDS = 120

for (const database of databaseIds)
  describeWith(
    database,
    () => startPlace(database, 1),
    (place) => {
      it('keeps its promises to two processes while replies are lost and connections cut', async () => {
        const outcome = await attack(database, place, ROUNDS)
        expect(outcome).toMatchObject({ alive: 0, lost: 0, back: 0, isBroken: false })
        expect(outcome.ended).toBeGreaterThan(ROUNDS / 2)
        // Without faults, the test would prove nothing.
        if (database !== 'sqlite') expect(outcome.errors.UNAVAILABLE).toBeGreaterThan(0)
      })
    },
  )
