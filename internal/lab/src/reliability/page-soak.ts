import { databases } from '@session-stores/testbed/databases'
import { LEAKS } from '../soak/leaks.ts'
import { type Measure, measures } from '../soak/measures.ts'
import type { MeasureResult, SoakResult } from '../soak/result.ts'
import { amount, count, duration, table } from '../text.ts'
import type { SoakPart } from './result.ts'

/** Returns the section about endurance. */
export function toSoakSection({ databases: results }: SoakPart): string {
  return `## Endurance

An application with express-session serves visitors without a pause: 64 requests at a time, of 3,000 visitors. One request in 20 comes by HTTP. The others make the calls that such a request makes: a lookup, and a touch or a save, now and then a sign-in, a sign-out, a new id or a sign-out everywhere. Visitors leave without signing out, so that sessions expire and rows are purged. The application's clock runs fast, so that hours pass in minutes. Connections break, and servers are killed and started again. The number of sessions stays the same, so a growth of rows or memory has no other cause than a leak.

${toRunsTable(results)}

Now and then the load ends for a moment, and everything is measured. The table shows the slope of each measure per million requests, by Theil and Sen, with its interval of 99 %. The first 30 % of the requests are left out. A measure is *level* unless its interval is wholly above the tolerance. The tolerance is what an engine or a database moves within an hour of the same work.

${toMeasuresTable(results)}

The soak is itself tested with stores that leak on purpose. It must find each of them: a store that ${LEAKS.slice(0, -1).join(', that ')}, or that ${LEAKS.at(-1)}. To repeat a soak: \`npx -y pnpm@12 soak --database ${results[0]!.database} --seed ${results[0]!.seed}\`.`
}

function toRunsTable(results: readonly SoakResult[]): string {
  const rows = results.map(({ database, version, seconds, hours, requests, rate, failed, faults }) => [
    `${databases[database].name} (${version})`,
    duration(seconds),
    `${hours}`,
    count(requests),
    count(rate),
    count(failed),
    Object.entries(faults)
      .map(([name, times]) => `${name} ${count(times)}`)
      .join(', '),
  ])
  const head = [
    'database',
    'time',
    'hours on the clock of the application',
    'requests',
    'requests a second',
    'requests that failed',
    'faults',
  ]
  return table(head, rows)
}

function toMeasuresTable(results: readonly SoakResult[]): string {
  const rows = measures.flatMap((measure) => {
    const found = results.map((result) => result.measures.find(({ name }) => name === measure.name))
    if (found.every((result) => result === undefined)) return []
    return [[measure.title, amount(measure.tolerance, measure.unit), ...found.map(toCell(measure))]]
  })
  const names = results.map(({ database }) => databases[database].name)
  return table(['measure', 'tolerance', ...names], rows)
}

const toCell =
  ({ unit }: Measure) =>
  (result: MeasureResult | undefined): string => {
    if (result === undefined) return '–'
    const { slope, low, high, growth } = result
    if (growth === 'not judged' || low === null || high === null) return 'too few samples'
    const interval = `${amount(slope, unit)} (${amount(low, unit)} to ${amount(high, unit)})`
    return growth === 'level' ? interval : `${interval}, **${growth}**`
  }
