import { type DatabaseId, databaseIds } from '@session-stores/testbed/databases'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { check } from '../src/histories/checker.ts'
import { Lab } from '../src/histories/lab.ts'
import { MUTANTS, type Mutant } from '../src/histories/mutants.ts'
import { startPlace } from '../src/histories/place.ts'
import type { Operation } from '../src/histories/recorder.ts'
import { Tally } from '../src/histories/tally.ts'
import { numberCalls } from './support/calls.ts'

/** Plays a round of histories, with the faults of these names, or with all that the place has. */
interface PlannedRound {
  readonly seed: number
  readonly histories: number
  readonly only?: readonly string[]
}

/**
 * Seeds of rounds that found something: 3 and 12 a revoke that ended a later session, 101 a write
 * whose deadline had passed when it landed.
 */
const FOUND = [3, 12, 101]
/**
 * Rounds that found something on one database: a session that was saved while Redis was emptied and
 * that its user's index did not name, a `revokeUser` that went on after it had failed, and a use of
 * tokens that a process noted whose clock had been set back.
 */
const FOUND_ON: Readonly<Partial<Record<DatabaseId, PlannedRound>>> = {
  redis: {
    seed: 1014,
    histories: 40,
    only: ['FLUSHALL', 'commands paused by the server', 'delays, lost replies, cuts inside of messages'],
  },
  mongodb: { seed: 5002, histories: 40, only: ['indexes dropped', 'connections cut', 'server killed'] },
  sqlite: { seed: 1001, histories: 40, only: ['clock set back', 'application killed', 'file locked'] },
}
/**
 * The seeds of the last rounds: a logout that ended a later session of its id, as it was sent again, and
 * garbage that ended the process; a save that was given up while the store was set up, and took effect
 * later, and one that waited for a lock for too long; a plain save that read the clock twice; and a clock
 * that jumped forth and back during one call.
 */
const LAST: Readonly<Record<DatabaseId, readonly number[]>> = {
  redis: [40_084, 70_041],
  mongodb: [50_009, 80_064],
  postgres: [50_015],
  sqlite: [40_042],
}
const HISTORIES = 200
const FAULTS = 5

/** Returns the rounds of a database, which play `HISTORIES` together. */
function roundsOf(database: DatabaseId): PlannedRound[] {
  const found = FOUND.map((seed) => ({ seed, histories: 20 }))
  const own = FOUND_ON[database] ?? { seed: 2, histories: 40 }
  const left = HISTORIES - found.length * 20 - own.histories
  const last = LAST[database].map((seed) => ({ seed, histories: left / LAST[database].length }))
  return [...found, own, ...last]
}

for (const database of databaseIds)
  describeWith(
    database,
    () => startPlace(database),
    (place) => {
      it(`explains all answers of ${HISTORIES} histories, each with ${FAULTS} faults`, async () => {
        await using lab = await Lab.start(place)
        const tally = new Tally(database, place.version)
        for (const round of roundsOf(database)) tally.add(await lab.play({ ...round, faults: FAULTS }))
        console.log(JSON.stringify(tally))
        expect(tally).toMatchObject({ histories: HISTORIES, violations: [], undecided: 0 })
        // Without answers, faults and calls that were given up, the test would prove nothing.
        expect(tally.operations - tally.unanswered).toBeGreaterThan(tally.histories * 50)
        expect(Object.keys(tally.faults).length).toBeGreaterThanOrEqual(3)
        if (database !== 'sqlite') expect(tally.unanswered).toBeGreaterThan(0)
      }, 180_000)
    },
  )

describeWith(
  'the checker',
  () => startPlace('sqlite'),
  (place) => {
    it('finds every store that is broken on purpose', async () => {
      await using lab = await Lab.start(place)
      let missing: readonly Mutant[] = MUTANTS
      for (let seed = 1; missing.length > 0 && seed <= 5; seed++) {
        const mutants = missing
        // Where few are left, each of them gets more histories.
        const histories = Math.max(80, mutants.length * 6)
        const { violations } = await lab.play({ seed, histories, faults: 0, mutants })
        // The name of a session begins with the seed and the number of its history.
        const found = violations.map(({ id }) => mutants[Number(/\.(\d+)-/.exec(id)![1]) % mutants.length])
        missing = mutants.filter((mutant) => !found.includes(mutant))
      }
      expect(missing).toEqual([])
    }, 120_000)

    describe('of single calls', () => {
      const call = numberCalls((number) => number + 1)
      const created = call('create', [0, 1], { set: { a: '1' }, deadline: 10_000 })
      const save = (at: [number, number], more: Partial<Operation> = {}): Operation =>
        call('save', at, { variants: [{ set: { a: '2' }, remove: [] }], deadline: 10_000, ...more })
      const reads = (at: [number, number], a: string): Operation => call('get', at, { found: { a } })
      const misses = (at: [number, number]): Operation => call('get', at, { answer: 'null' })

      const revoke = (at: [number, number], answer: 'true' | 'false') => call('revoke', at, { answer })
      const surprise = (at: [number, number]) => call('get', at, { answer: 'unexpected' })
      const granted = call('grant', [0, 1])
      const refresh = (at: [number, number], n: number, next: string, grace = 100) =>
        call('refresh', at, { n, grace, found: { n: next } })
      const reuse = (at: [number, number], n: number, grace = 100) =>
        call('refresh', at, { n, grace, answer: 'reused' })
      const ends = (at: [number, number]) => call('refresh', at, { n: 1, grace: 0, answer: 'gone' })

      it.each<[string, 'ok' | 'illegal', Operation[]]>([
        ['a read after a save', 'ok', [created, save([2, 3]), reads([4, 5], '2')]],
        ['a read beside a save', 'ok', [created, save([2, 5]), reads([3, 4], '1')]],
        ['a read that is older than a save', 'illegal', [created, save([2, 3]), reads([4, 5], '1')]],
        [
          'two reads that see a save come and go',
          'illegal',
          [created, save([2, 9]), reads([3, 4], '2'), reads([5, 6], '1')],
        ],
        [
          'a save without an answer that happened later',
          'ok',
          [created, save([2, 20], { answer: 'unknown' }), reads([3, 4], '1'), reads([5, 6], '2')],
        ],
        [
          'a save without an answer that happened too late',
          'illegal',
          [created, save([2, 4], { answer: 'unknown' }), reads([5, 6], '1'), reads([7, 8], '2')],
        ],
        ['a session that is gone', 'illegal', [created, misses([2, 3])]],
        [
          'a logout without an answer that a crash undoes, but not the save before it',
          'ok',
          [
            created,
            save([2, 3], { answer: 'unknown' }),
            call('destroy', [4, 5], { answer: 'unknown' }),
            misses([6, 7]),
            call('crash', [8, 9]),
            reads([10, 11], '2'),
          ],
        ],
        [
          'a logout that a crash undoes although it was acknowledged',
          'illegal',
          [created, call('destroy', [2, 3]), call('crash', [4, 5]), reads([6, 7], '1')],
        ],
        [
          'a save that a crash undoes, and that is there again',
          'illegal',
          [
            created,
            save([2, 3], { answer: 'unknown' }),
            reads([4, 5], '2'),
            call('crash', [6, 7]),
            reads([8, 9], '1'),
            reads([10, 11], '2'),
          ],
        ],
        ...(['ok', 'illegal'] as const).map((result): [string, 'ok' | 'illegal', Operation[]] => [
          `a create that takes effect again over a session that ${result === 'ok' ? 'expired' : 'lives'}`,
          result,
          [
            call('create', [0, 30], { set: { a: '1' }, deadline: result === 'ok' ? 90 : 10_000 }),
            reads([2, 3], '1'),
            call('plain', [4, 5], { set: { a: '2' }, deadline: result === 'ok' ? 20 : 10_000 }),
            reads([6, 7], '2'),
            reads([40, 41], '1'),
          ],
        ]),
        ['a logout', 'ok', [created, call('destroy', [2, 3]), misses([4, 5])]],
        ['a session after its logout', 'illegal', [created, call('destroy', [2, 3]), reads([4, 5], '1')]],
        ['a save after a logout', 'illegal', [created, call('destroy', [2, 3]), save([4, 5])]],
        ['a session after its deadline', 'illegal', [created, reads([10_200, 10_201], '1')]],
        ['no session after its deadline', 'ok', [created, misses([10_200, 10_201])]],
        [
          'no session whose deadline had passed when it was written, by another clock',
          'ok',
          [
            call('create', [0, 500], { set: { a: '1' }, deadline: 10_400, from: 10_000, to: 10_500 }),
            misses([600, 601]),
          ],
        ],
        ['a revoke of what is there', 'ok', [created, revoke([2, 3], 'true'), revoke([4, 5], 'false')]],
        [
          'two revokes that each ended it',
          'illegal',
          [created, revoke([2, 5], 'true'), revoke([3, 4], 'true')],
        ],
        [
          'a write under way that is seen, flushed and written again',
          'ok',
          [
            call('create', [0, 9], { set: { a: '1' }, deadline: 10_000 }),
            reads([2, 3], '1'),
            call('flush', [4, 5]),
            reads([10, 11], '1'),
          ],
        ],
        [
          'a write that ended before the flush, and is seen after it',
          'illegal',
          [created, call('flush', [4, 5]), reads([10, 11], '1')],
        ],
        [
          'a write under way that is seen, not seen and seen again, without a flush',
          'illegal',
          [
            call('create', [0, 9], { set: { a: '1' }, deadline: 10_000 }),
            reads([2, 3], '1'),
            misses([4, 5]),
            reads([10, 11], '1'),
          ],
        ],
        ['an error that no fault explains', 'illegal', [created, reads([2, 3], '1'), surprise([4, 5])]],
        ['a rotation', 'ok', [granted, refresh([2, 3], 0, '1', 0), refresh([4, 5], 1, '2', 0)]],
        [
          'a token that is used twice',
          'illegal',
          [granted, refresh([2, 3], 0, '1', 0), refresh([4, 5], 0, '1', 0)],
        ],
        [
          'the end after a reuse',
          'ok',
          [granted, refresh([2, 3], 0, '1', 0), reuse([4, 5], 0, 0), ends([6, 7])],
        ],
        [
          'a refresh after the end',
          'illegal',
          [granted, call('destroy', [2, 3]), refresh([4, 5], 0, '1', 0)],
        ],
        [
          'a repeat within the grace period',
          'ok',
          [granted, refresh([400, 401], 0, '1'), refresh([450, 451], 0, '1')],
        ],
        [
          'an end within the grace period',
          'illegal',
          [granted, refresh([400, 401], 0, '1'), reuse([450, 451], 0)],
        ],
        [
          'an end after the grace period',
          'ok',
          [granted, refresh([400, 401], 0, '1'), call('verify', [402, 403], { n: 1 }), reuse([600, 601], 0)],
        ],
        [
          'an end after the grace period, by the clock of another process that accepted the token',
          'ok',
          [
            granted,
            refresh([400, 401], 0, '1'),
            call('verify', [450, 451], { n: 1 }),
            call('verify', [460, 461], { n: 1, from: 300, to: 301 }),
            reuse([510, 511], 0),
          ],
        ],
        [
          'an end within the grace period, whatever clock noted the use',
          'illegal',
          [
            granted,
            refresh([400, 401], 0, '1'),
            call('verify', [450, 451], { n: 1, from: 1, to: 2 }),
            reuse([460, 461], 0),
          ],
        ],
        ['a token that verifies', 'ok', [granted, call('verify', [2, 3], { n: 0 })]],
        [
          'a token that verifies after the end',
          'illegal',
          [granted, call('destroy', [2, 3]), call('verify', [4, 5], { n: 0 })],
        ],
      ])('%s: %s', async (_name, result, ops) => {
        expect(await check([{ id: 'one', ops }])).toEqual([expect.objectContaining({ id: 'one', result })])
      })
    })
  },
)
