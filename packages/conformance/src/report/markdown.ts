import type { Result } from '../engine/judge.ts'
import { beside, broken, count, groups, OUTCOMES, type Report, summary } from './report.ts'

/** One store's report for a README or a pull request. */
export function markdown(report: Report): string {
  const { store, versions, date, node, results } = report
  const tested = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const failed = broken(results)
  const besides = beside(report)
  const parts = [
    `# ${store} as a session store`,
    `${summary(results)}.`,
    `${[...tested, `Node.js ${node}`].join(', ')}; ${date.slice(0, 10)}.`,
    table(results),
    ...(failed.length > 0 ? ['## Failed', ...failed.map(failure)] : []),
    ...reasons('Not run', results, 'not-run'),
    ...reasons('Opted out', results, 'opted-out'),
    ...(besides.length > 0 ? ['## Besides', list(besides.map(text))] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

function table(results: readonly Result[]): string {
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  return [
    row(['', 'rules', ...OUTCOMES.map(([, name]) => name)]),
    `|---|${'---:|'.repeat(OUTCOMES.length + 1)}`,
    ...groups(results).map(([group, members]) => {
      const counts = count(members)
      return row([group, counts.rules, ...OUTCOMES.map(([outcome]) => counts[outcome] || '')])
    }),
  ].join('\n')
}

function failure({ id, level, title, reason = '', why, source, trace = [] }: Result): string {
  return [
    `### \`${id}\` (${level})`,
    `${text(title)}. ${text(why)}${source ? ` (${source})` : ''}`,
    fenced('', reason),
    ...(trace.length > 0 ? [fenced('js', trace.join('\n'))] : []),
  ].join('\n\n')
}

function reasons(heading: string, results: readonly Result[], outcome: Result['outcome']): string[] {
  const chosen = results.filter((result) => result.outcome === outcome)
  if (chosen.length === 0) return []
  return [
    `## ${heading}`,
    list(chosen.map(({ id, level, reason = '' }) => `\`${id}\` (${level}): ${text(reason)}`)),
  ]
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n')

/** A fence longer than any in the code. */
function fenced(language: string, code: string): string {
  const longest = Math.max(2, ...Array.from(code.matchAll(/`+/g), ([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${code}\n${fence}`
}

/** As one line, in which nothing but code is markup. */
function text(value: string): string {
  return value.replaceAll(/\s+/g, ' ').trim().replaceAll('<', '&lt;')
}
