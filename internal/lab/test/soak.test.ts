import { ServerUnavailableError } from '@session-stores/testbed'
import { databaseIds } from '@session-stores/testbed/databases'
import { describe, expect, it } from 'vitest'
import { LEAKS, type Leak } from '../src/soak/leaks.ts'
import { growing, type MeasureResult } from '../src/soak/result.ts'
import { soak } from '../src/soak/soak.ts'

/** Short soaks. `npx -y pnpm@12 soak` judges bytes, too, which settle within some minutes. */
const OPTIONS = { seed: 1, milliseconds: 10_000, requests: Number.POSITIVE_INFINITY }

describe('a soak', () => {
  it.each(databaseIds)(
    'of %s finds nothing that grows',
    async (database) => {
      // What grows by chance stops growing. A leak does not.
      const until = (measures: readonly MeasureResult[]): boolean => growing(measures).length === 0
      const options = { ...OPTIONS, until }
      const result = await soak(database, options).catch((error) => {
        if (!(error instanceof ServerUnavailableError) || process.env.CI === 'true') throw error
      })
      if (result === undefined) return
      const judged = result.measures.filter(({ growth }) => growth !== 'not judged')
      console.log(database, result.requests, result.rate, JSON.stringify(result.measures))
      expect(growing(result.measures)).toEqual([])
      expect(judged.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['handles', 'timers', 'listeners', 'entries', 'files']),
      )
      // Without requests and faults the soak would show nothing.
      expect(result.requests).toBeGreaterThan(2000)
      expect(Object.values(result.faults).reduce((sum, times) => sum + times)).toBeGreaterThan(12)
    },
    240_000,
  )

  const planted: Readonly<Record<Leak, readonly ['redis' | 'sqlite', string]>> = {
    'adds a listener with each reconnect': ['redis', 'listeners'],
    'keeps the id of every session': ['sqlite', 'entries'],
    'never purges rows': ['sqlite', 'rows'],
  }

  it.each(LEAKS)(
    'finds a store that %s',
    async (leak) => {
      const [database, measure] = planted[leak]
      // Rows are judged when the first ones should have been purged.
      const until = (measures: readonly MeasureResult[]): boolean =>
        measures.some(({ name, growth }) => name === measure && growth !== 'not judged')
      const { measures } = await soak(database, { ...OPTIONS, leak, until })
      expect(growing(measures)).toContain(measure)
    },
    240_000,
  )
})
