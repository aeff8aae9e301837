import type { Result } from '../engine/judge.ts'
import { broken, count, describeIncidents, groups, OUTCOMES, type Report, summary } from './report.ts'

/** Renders a report as Markdown, for a README or a pull request. */
export function markdown(report: Report): string {
  const { store, versions, date, node, results } = report
  const tested = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const failed = broken(results)
  const incidents = describeIncidents(report)
  const parts = [
    `# ${store} as a session store`,
    `${summary(results)}.`,
    `${[...tested, `Node.js ${node}`].join(', ')}; ${date.slice(0, 10)}.`,
    renderTable(results),
    ...(failed.length > 0 ? ['## Failed', ...failed.map(renderFailure)] : []),
    ...renderReasons('Not run', results, 'not-run'),
    ...renderReasons('Opted out', results, 'opted-out'),
    ...(incidents.length > 0 ? ['## Outside the rules', renderList(incidents.map(toLine))] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

function renderTable(results: readonly Result[]): string {
  const renderRow = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  return [
    renderRow(['', 'rules', ...OUTCOMES.map(([, name]) => name)]),
    `|---|${'---:|'.repeat(OUTCOMES.length + 1)}`,
    ...groups(results).map(([group, members]) => {
      const counts = count(members)
      return renderRow([group, counts.rules, ...OUTCOMES.map(([outcome]) => counts[outcome] || '')])
    }),
  ].join('\n')
}

function renderFailure({ id, level, title, reason = '', why, source, trace = [] }: Result): string {
  return [
    `### \`${id}\` (${level})`,
    `${toLine(title)}. ${toLine(why)}${source ? ` (${source})` : ''}`,
    fence('', reason),
    ...(trace.length > 0 ? [fence('js', trace.join('\n'))] : []),
  ].join('\n\n')
}

function renderReasons(heading: string, results: readonly Result[], outcome: Result['outcome']): string[] {
  const chosen = results.filter((result) => result.outcome === outcome)
  if (chosen.length === 0) return []
  return [
    `## ${heading}`,
    renderList(chosen.map(({ id, level, reason = '' }) => `\`${id}\` (${level}): ${toLine(reason)}`)),
  ]
}

const renderList = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n')

/** Puts code between fences that are longer than any run of backticks in the code. */
function fence(language: string, code: string): string {
  const longest = Math.max(2, ...Array.from(code.matchAll(/`+/g), ([run]) => run.length))
  const ticks = '`'.repeat(longest + 1)
  return `${ticks}${language}\n${code}\n${ticks}`
}

/** Returns the text as one line in which only backticks are markup. */
function toLine(value: string): string {
  return value.replaceAll(/\s+/g, ' ').trim().replaceAll('<', '&lt;')
}
