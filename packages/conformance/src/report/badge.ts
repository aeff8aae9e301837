import { broken, count, type Report } from './report.ts'

/** What https://shields.io/badges/endpoint-badge takes. */
export interface Badge {
  schemaVersion: 1
  label: string
  message: string
  color: string
}

/** A badge as data, drawn by shields.io. Rules that were not run and opt-outs are none that passed. */
export function badge({ results, stray }: Report): Badge {
  const { rules, passed, absent } = count(results)
  const must = broken(results, 'must').length + stray.length
  const all = broken(results).length
  return {
    schemaVersion: 1,
    label: 'session store conformance',
    message: `${passed + absent} of ${rules}${must > 0 ? `, ${must} broken` : ''}`,
    color: must > 0 ? 'red' : all > 0 ? 'yellow' : passed + absent < rules ? 'green' : 'brightgreen',
  }
}
