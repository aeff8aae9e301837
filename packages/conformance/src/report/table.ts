import type { Outcome, Result } from '../engine/judge.ts'
import { broken, count, describeIncidents, groups, OUTCOMES, type Report, summary } from './report.ts'

/** How a piece of the table looks in a terminal. */
export type Style = 'bold' | 'red' | 'green'

/**
 * Renders a report for a terminal.
 * @param paint Gives a piece of text its style. @default leaves the text plain
 */
export function table(
  report: Report,
  paint: (text: string, style: Style) => string = (text) => text,
): string {
  const { store, versions, node, results, stray } = report
  const renderHeading = (text: string): string => `\n${paint(text, 'bold')}`
  const tested = Object.entries(versions).map(([name, version]) => `${name} ${version}`)

  function renderFailure({ id, level, title, reason = '', why, source, trace = [] }: Result): string[] {
    return [
      '',
      `${paint(`✗ ${level}`, 'red')}  ${paint(id, 'bold')}: ${title}`,
      ...indent(reason),
      ...indent(`Why it matters: ${why}${source ? ` (${source})` : ''}`),
      ...(trace.length > 0 ? ['', ...indent(trace.join('\n'), 6)] : []),
    ]
  }
  function renderReasons(title: string, outcome: Outcome): string[] {
    const chosen = results.filter((result) => result.outcome === outcome)
    if (chosen.length === 0) return []
    return [renderHeading(title), ...chosen.map(({ id, level, reason }) => `  ${level}  ${id}: ${reason}`)]
  }
  const incidents = describeIncidents(report)
  const style = broken(results, 'must').length + stray.length > 0 ? 'red' : 'green'
  return [
    `${paint(store, 'bold')}  (${[...tested, `Node.js ${node}`].join(', ')})`,
    '',
    ...renderGrid(results),
    ...broken(results).flatMap(renderFailure),
    ...renderReasons('Not run', 'not-run'),
    ...renderReasons('Opted out', 'opted-out'),
    ...(incidents.length > 0
      ? [renderHeading('Outside the rules'), ...incidents.flatMap((line) => indent(line))]
      : []),
    '',
    paint(summary(results), style),
    '',
  ].join('\n')
}

/** Renders the number of rules per group and outcome. */
function renderGrid(results: readonly Result[]): string[] {
  const rows = [
    ['', 'rules', ...OUTCOMES.map(([, name]) => name)],
    ...groups(results).map(([group, members]) => {
      const counts = count(members)
      return [group, String(counts.rules), ...OUTCOMES.map(([outcome]) => String(counts[outcome] || '·'))]
    }),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
  return rows.map((row) => row.map(pad).join('  '))
}

function indent(text: string, by = 2): string[] {
  return text.split('\n').map((line) => (line ? ' '.repeat(by) + line : line))
}
