import { setTimeout as pause } from 'node:timers/promises'
import type { SessionStore } from '@session-stores/core'
import { randomFrom } from '@session-stores/testbed'
import { type Old, openNew, openOld, type Place, takeOver } from './places.ts'
import { OldProcess } from './process.ts'

/** How many rounds are played at the same time. */
const TOGETHER = 16
/** The longest time for which an actor waits before it acts, in milliseconds. */
const LONGEST = 6

/** What came of logouts beside moves. */
export interface Outcome {
  rounds: number
  /** Sessions that were found after their end was acknowledged. It must be 0. */
  revived: number
  /** Rounds in which a session moved in beside its logout. Without them, nothing was tried. */
  moved: number
  /** Rounds in which the old package wrote the row anew after the logout. */
  rewritten: number
}

/**
 * Plays logouts beside moves. A process still runs with the old package. Two stores take over, as in
 * two processes. In every other round the logout reaches the old process, which is possible only
 * while the stores keep the rows. The rows are kept in half of the other rounds, too.
 */
export async function playRounds(place: Place, rounds: number, seed: number): Promise<Outcome> {
  const outcome: Outcome = { rounds, revived: 0, moved: 0, rewritten: 0 }
  const old = await openOld(place)
  const process = await OldProcess.start(place)
  const copies = [await open(place, old, true), await open(place, old, true)] as const
  const moves = [await open(place, old, false), await open(place, old, false)] as const
  const random = randomFrom(seed)
  try {
    for (let i = 0; i < rounds; i += TOGETHER) {
      const count = Math.min(TOGETHER, rounds - i)
      await Promise.all(
        Array.from({ length: count }, (_, k) => {
          const number = i + k
          const stores = number % 4 === 3 ? moves : copies
          return playRound(`round-${number}`, number % 2 === 0, stores, process, old, random, outcome)
        }),
      )
    }
  } finally {
    await process.stop()
    for (const store of [...copies, ...moves]) await store.close()
    await old.close()
  }
  return outcome
}

const open = (place: Place, old: Old, keep: boolean): Promise<SessionStore> =>
  openNew(place, { operationTimeout: 20_000, ...takeOver(old, { keep }) })

async function playRound(
  id: string,
  isEndedThere: boolean,
  [one, other]: readonly [SessionStore, SessionStore],
  process: OldProcess,
  old: Old,
  random: () => number,
  outcome: Outcome,
): Promise<void> {
  await process.send('signIn', id)
  // A request of the old process has read the session before everything else.
  await process.send('load', id)
  const later = async <T>(act: () => Promise<T>): Promise<T> => {
    await pause(random() * LONGEST)
    return act()
  }
  const [, first, second] = await Promise.all([
    later(() => (isEndedThere ? process.send('destroy', id) : one.destroy(id))),
    later(() => one.get(id)),
    later(() => other.get(id)),
    // Where both happen in old processes, the old package itself brings the session back.
    isEndedThere ? undefined : later(() => process.send('save', id)),
    isEndedThere ? undefined : later(() => process.send('touch', id)),
  ])
  if (first || second) outcome.moved++
  if (await isAlive(id, one, other)) outcome.revived++
  if (isEndedThere) return
  // The old process writes the row anew, once more.
  await process.send('save', id)
  if (await old.reader.read(id, Date.now())) outcome.rewritten++
  if (await isAlive(id, one, other)) outcome.revived++
}

async function isAlive(id: string, one: SessionStore, other: SessionStore): Promise<boolean> {
  if ((await one.get(id)) !== null || (await other.get(id)) !== null) return true
  return (await one.peek(one.handle(id))) !== null
}
