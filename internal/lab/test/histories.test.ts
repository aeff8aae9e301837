import { databaseIds } from '@session-stores/testbed/databases'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { check } from '../src/histories/checker.ts'
import { Lab } from '../src/histories/lab.ts'
import { MUTANTS } from '../src/histories/mutants.ts'
import { startPlace } from '../src/histories/place.ts'
import type { Operation } from '../src/histories/recorder.ts'
import { Tally } from '../src/histories/tally.ts'

/** Small numbers keep the test short. `npx -y pnpm@12 histories --minutes 60` plays for an hour. */
const ROUNDS = 5
const HISTORIES = 40
const FAULTS = 5

for (const database of databaseIds)
  describeWith(
    database,
    () => startPlace(database),
    (place) => {
      it(`explains all answers of ${ROUNDS * HISTORIES} histories, each with ${FAULTS} faults`, async () => {
        await using lab = await Lab.start(place)
        const tally = new Tally(database, place.version)
        for (let seed = 1; seed <= ROUNDS; seed++)
          tally.add(await lab.play({ seed, histories: HISTORIES, faults: FAULTS }))
        console.log(JSON.stringify(tally))
        expect(tally).toMatchObject({ histories: ROUNDS * HISTORIES, violations: [], undecided: 0 })
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
    it.each(MUTANTS)(
      'finds a store that %s',
      async (mutant) => {
        await using lab = await Lab.start(place, mutant)
        let found = 0
        for (let seed = 1; found === 0 && seed <= 5; seed++)
          found += (await lab.play({ seed, histories: 20, faults: 0 })).violations.length
        expect(found).toBeGreaterThan(0)
      },
      60_000,
    )

    describe('of single calls', () => {
      let number = 0
      /** A call that begins and ends at these milliseconds. */
      const call = (verb: string, at: [number, number], more: Partial<Operation> = {}): Operation => ({
        number: number++,
        process: number,
        call: at[0] * 1000,
        ret: at[1] * 1000,
        from: at[0],
        to: at[1],
        verb,
        answer: 'ok',
        ...more,
      })
      const created = call('create', [0, 1], { set: { a: '1' }, deadline: 10_000 })
      const save = (at: [number, number], more: Partial<Operation> = {}): Operation =>
        call('save', at, { variants: [{ set: { a: '2' }, remove: [] }], deadline: 10_000, ...more })
      const reads = (at: [number, number], a: string): Operation => call('get', at, { found: { a } })
      const misses = (at: [number, number]): Operation => call('get', at, { answer: 'null' })

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
        ['a logout', 'ok', [created, call('destroy', [2, 3]), misses([4, 5])]],
        ['a session after its logout', 'illegal', [created, call('destroy', [2, 3]), reads([4, 5], '1')]],
        ['a save after a logout', 'illegal', [created, call('destroy', [2, 3]), save([4, 5])]],
        ['a session after its deadline', 'illegal', [created, reads([10_200, 10_201], '1')]],
        ['no session after its deadline', 'ok', [created, misses([10_200, 10_201])]],
      ])('%s: %s', async (_name, result, ops) => {
        expect(await check([{ id: 'one', ops }])).toEqual([expect.objectContaining({ id: 'one', result })])
      })
    })
  },
)
