import { broken, count, type Report } from './report.ts'

/** The JSON that https://shields.io/badges/endpoint-badge takes. */
export interface Badge {
  schemaVersion: 1
  label: string
  message: string
  color: string
}

/** Makes a badge of a report. Rules that were not run and opt-outs do not count as passed. */
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
