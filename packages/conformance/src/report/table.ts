import type { Outcome, Result } from '../engine/judge.ts'
import { beside, broken, count, groups, OUTCOMES, type Report, summary } from './report.ts'

export type Style = 'bold' | 'red' | 'green'

/** One store's report for a terminal, which `paint` gives its styles. */
export function table(
  report: Report,
  paint: (text: string, style: Style) => string = (text) => text,
): string {
  const { store, versions, node, results, stray } = report
  const heading = (text: string): string => `\n${paint(text, 'bold')}`
  const tested = Object.entries(versions).map(([name, version]) => `${name} ${version}`)

  function failure({ id, level, title, reason = '', why, source, trace = [] }: Result): string[] {
    return [
      '',
      `${paint(`✗ ${level}`, 'red')}  ${paint(id, 'bold')}: ${title}`,
      ...indent(reason),
      ...indent(`Why it matters: ${why}${source ? ` (${source})` : ''}`),
      ...(trace.length > 0 ? ['', ...indent(trace.join('\n'), 6)] : []),
    ]
  }
  function reasons(title: string, outcome: Outcome): string[] {
    const chosen = results.filter((result) => result.outcome === outcome)
    if (chosen.length === 0) return []
    return [heading(title), ...chosen.map(({ id, level, reason }) => `  ${level}  ${id}: ${reason}`)]
  }
  const besides = beside(report)
  const verdict = broken(results, 'must').length + stray.length > 0 ? 'red' : 'green'
  return [
    `${paint(store, 'bold')}  (${[...tested, `Node.js ${node}`].join(', ')})`,
    '',
    ...grid(results),
    ...broken(results).flatMap(failure),
    ...reasons('Not run', 'not-run'),
    ...reasons('Opted out', 'opted-out'),
    ...(besides.length > 0 ? [heading('Besides'), ...besides.flatMap((line) => indent(line))] : []),
    '',
    paint(summary(results), verdict),
    '',
  ].join('\n')
}

/** The groups of rules, and what became of them. */
function grid(results: readonly Result[]): string[] {
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
