import { MAIN } from '../plan/main-subjects.ts'
import { noiseOf } from '../results/noise.ts'
import type { Cell, OperationName, Run, ScenarioName } from '../results/results.ts'
import { compare, counterpart, type Metric } from '../results/summary.ts'
import { describeSpeed, findChoices, formatRatio } from './choice.ts'
import { databaseNames, nameOf } from './labels.ts'

/** A column of the table: ratios of this project's stores to the packages that most people use. */
interface Column {
  title: string
  scenario: ScenarioName
  operation: OperationName
  metric: Metric
  /** The number of processes of a fleet, and of calls at once in each. */
  processes?: number
  concurrency: number
}

const BUSY = 256
const single = (
  title: string,
  scenario: ScenarioName,
  operation: OperationName,
  concurrency = BUSY,
): Column => ({
  ...{ title, scenario, operation, concurrency },
  metric: 'opsPerSecond',
})
const request = { scenario: 'request', operation: 'lookup-touch', concurrency: BUSY } as const
const fleet = (processes: number, concurrency: number): Column => ({
  ...single(`${processes} × ${concurrency}`, 'fleet', 'lookup-touch', concurrency),
  processes,
})

const columns: readonly Column[] = [
  single('lookup', 'lookup', 'lookup'),
  single('touch', 'touch', 'touch'),
  single('save', 'save', 'save'),
  single('lookup + touch', 'request', 'lookup-touch'),
  { ...request, title: 'its p99', metric: 'p99' },
  { ...request, title: 'its CPU', metric: 'cpuApp' },
  single('one by one', 'request', 'lookup-touch', 1),
  ...[1, 4, 16, 64].map((concurrency) => fleet(8, concurrency)),
]

/**
 * Renders the speed section of the README as Markdown.
 * @param page the path of the full report
 */
function renderSpeed(run: Run, page: string): string {
  const noise = noiseOf(run)
  return [
    noise.verdict === 'quiet' ? '' : noise.text,
    renderChoices(run),
    describeSpeed(run).join(' '),
    renderRatios(run),
    `All figures, and those in which another package is ahead: [the run of ${run.started.slice(0, 10)}](${page}).`,
  ]
    .filter(Boolean)
    .join('\n\n')
}

/** Renders which store to use, with the figures of an Express application over HTTP. */
function renderChoices(run: Run): string {
  const rows = findChoices(run).map(({ database, requests, p99, ratio, peer, needs, when }) => [
    ...[database, requests, `${p99} ms`, `${ratio} ${peer}`, needs, when],
  ])
  if (rows.length === 0) return ''
  const head = ['database', 'requests a second', 'p99', 'compared with', 'needs', 'choose it when']
  return `An Express application answers requests over HTTP, on ${run.environment.cores} cores. The figures are medians of ${run.roundsDone} rounds. Each store is compared with the usual package, which is the one that most people use on that database:\n\n${table(head, rows)}`
}

/** Renders the ratios of the stores themselves, without an application. */
function renderRatios(run: Run): string {
  const shown = columns.filter((column) => run.cells.some((cell) => isOf(column, cell)))
  const rows = MAIN.flatMap((id) => {
    const peer = run.subjects.find((subject) => subject.id === id)
    const ours = peer && run.subjects.find((subject) => subject.id === peer.comparedWith[0])
    if (!ours) return []
    const ratios = shown.map((column) => {
      const cell = run.cells.find((one) => one.subject === ours.id && isOf(column, one))
      const other = cell && counterpart(run, cell, id)
      return formatRatio(other && compare(cell, other, column.metric))
    })
    return [[`${databaseNames[ours.database]}, compared with ${nameOf(peer)}`, ...ratios]]
  })
  const hasFleet = shown.some(({ scenario }) => scenario === 'fleet')
  const several = hasFleet ? ' `8 × 4`: lookup and touch with 8 processes and 4 calls at once in each.' : ''
  return [
    `The stores themselves, without an application: the operations a second of ours divided by those of the usual package in the same run, with ${BUSY} calls at once in one process. \`~\` means that the difference may be due to chance.${several}`,
    table(['store on', ...shown.map(({ title }) => title)], rows),
  ].join('\n\n')
}

function isOf({ scenario, operation, processes, concurrency }: Column, cell: Cell): boolean {
  const { parameters } = cell
  const isSameLoad = parameters.processes === processes && parameters.concurrency === concurrency
  return cell.scenario === scenario && cell.operation === operation && isSameLoad
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

/**
 * Returns the README with its speed section replaced.
 * @throws Error if the README lacks the section's marks
 */
export function withSpeed(readme: string, run: Run, page: string): string {
  const [begin, end] = ['<!-- speed: npx -y pnpm@12 bench:report -->', '<!-- /speed -->']
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the README lacks ${begin} or ${end}`)
  return `${readme.slice(0, from + begin.length)}\n${renderSpeed(run, page)}\n${readme.slice(to)}`
}
