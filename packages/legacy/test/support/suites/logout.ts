import { expect, it } from 'vitest'
import { moveByCommand } from '../bulk.ts'
import type { Suite } from '../describe.ts'
import { newest } from '../places.ts'
import { playRounds } from '../rounds.ts'

/** Small numbers keep the test short. `npx -y pnpm@12 migrations` takes 10,000 and 100,000. */
const [ROUNDS, SESSIONS] = [64, 700]

export const logoutSuite: Suite = (makeSite, format) => {
  if (!newest.includes(format)) return

  it('brings no session back that was signed out beside its move, by either process', async () => {
    const { place } = await makeSite()
    const outcome = await playRounds(place, ROUNDS, 1)
    expect(outcome).toMatchObject({ rounds: ROUNDS, revived: 0 })
    // Without moves, and rows that the old package wrote anew, the test would prove nothing.
    expect(outcome.moved).toBeGreaterThan(0)
    expect(outcome.rewritten).toBe(ROUNDS / 2)
  })

  // Each run is a process of its own, whose start takes most of the time.
  if (!/redis|sqlite/.test(format)) return

  it('loses nothing where the command is killed in the middle and started again', async () => {
    const { place } = await makeSite()
    const outcome = await moveByCommand(place, SESSIONS, 1)
    expect(outcome).toMatchObject({ lost: 0, kills: 1, second: { moved: 0, unreadable: 0 } })
    expect(outcome.drift).toBeLessThanOrEqual(1000)
  })
}
