import type { Judged } from './aims.ts'
import type { Cell, Results, Spread } from './figures.ts'
import type { SubjectName } from './subjects.ts'
import type { Suite } from './suites.ts'

/** A suite's table: medians over the rounds, and at each rival how ours compares with it. */
export function suiteTable(suite: Suite, results: Results): string {
  const rows = suite.scenarios.flatMap((scenario) =>
    suite.concurrencies.flatMap((concurrency) =>
      suite.subjects.flatMap((subject, index) => {
        const cell: Cell = { suite: suite.name, subject, scenario, concurrency }
        const head = index === 0 ? [scenario, `${concurrency}`] : ['', '']
        return rowsOf(cell, suite, results).map((row, line) => [...(line === 0 ? head : ['', '']), ...row])
      }),
    ),
  )
  const header = ['', '', '', 'ops/s', 'CPU µs/op', 'p50 ms', 'p99 ms', 'ours', 'ops/s', '', 'CPU', '']
  return `${suite.title}\n${table([header, ...rows])}`
}

function rowsOf(cell: Cell, suite: Suite, results: Results): string[][] {
  const figure = (metric: 'rate' | 'cpu' | 'p50' | 'p99', digits: number) =>
    format(results.spread(cell, metric)?.median, digits)
  const own = [cell.subject, figure('rate', 0), figure('cpu', 1), figure('p50', 2), figure('p99', 2)]
  const ours = Object.keys(suite.rivals).filter((name) =>
    suite.rivals[name as SubjectName]!.includes(cell.subject),
  ) as SubjectName[]
  if (ours.length === 0) return [own]
  return ours.map((subject, index) => {
    const ratio = (metric: 'rate' | 'cpu') => times(results.ratio({ ...cell, subject }, cell.subject, metric))
    const name = Object.keys(suite.rivals).length > 1 ? subject : ''
    return [...(index === 0 ? own : own.map(() => '')), name, ...ratio('rate'), ...ratio('cpu')]
  })
}

export function aimsTable(judged: readonly Judged[]): string {
  const rows = judged.map(({ text, aim, figure, met }) => [
    met ? 'met' : 'MISSED',
    text,
    aim,
    format(figure?.median, 2),
    figure ? range(figure) : '',
  ])
  return `Aims: ${judged.filter(({ met }) => met).length} of ${judged.length} met\n${table(rows)}`
}

const times = (ratio: Spread | undefined): string[] =>
  ratio ? [`${format(ratio.median, 2)}x`, range(ratio)] : ['', '']

const range = ({ min, max }: Spread): string => `(${format(min, 2)}–${format(max, 2)})`

const format = (value: number | undefined, digits: number): string =>
  value === undefined
    ? 'FAILED'
    : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** A first row of headings, or of whatever; rows may be short. Columns of figures are flush right. */
function table(rows: readonly string[][]): string {
  const count = Math.max(...rows.map((row) => row.length))
  const columns = Array.from({ length: count }, (_, column) => {
    const texts = rows.map((row) => row[column] ?? '')
    const width = Math.max(...texts.map((text) => text.length))
    const isFigure = texts.slice(1).every((text) => /^[\d.,x]*$|^FAILED$/.test(text))
    return texts.map((text) => (isFigure ? text.padStart(width) : text.padEnd(width)))
  })
  return rows
    .map((_, row) =>
      columns
        .map((texts) => texts[row])
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
