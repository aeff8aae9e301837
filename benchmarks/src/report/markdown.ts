import { inPageOrder } from '../plan/scenarios.ts'
import { noiseOf } from '../results/noise.ts'
import type { Cell, Parameters, Run } from '../results/results.ts'
import type { Estimate, Ratio } from '../results/statistics.ts'
import { compare, counterpart, failedShare, figure, type Metric } from '../results/summary.ts'
import { findMissedAims } from './aims.ts'
import { byParameters, inOrder, loadOf } from './labels.ts'
import { explainStorage, findStorage, storageHead } from './storage.ts'
import { describeTokens, findMissedTokenAims } from './tokens.ts'
import { findLosses, slower } from './verdict.ts'

/** Renders a run as Markdown for terminals and pull requests, with a table for each scenario. */
export function renderMarkdown(run: Run): string {
  const { environment: machine } = run
  const blocks = [
    '# Benchmark',
    run.complete ? [] : `**Incomplete**: ${run.reason}; ${run.roundsDone} of ${run.rounds} rounds were done.`,
    `${run.started}, commit ${run.commit ?? 'unknown'}, \`${run.command}\``,
    [
      `${machine.cores} cores of ${machine.cpu}, ${machine.kernel}, Node ${machine.node}, load before ${machine.loadBefore.toFixed(2)}`,
      ...run.servers.map(
        ({ version, settings, name }) =>
          `${name}: ${version}; ${Object.entries(settings)
            .map(([key, value]) => `${key} = ${value}`)
            .join(', ')}`,
      ),
    ]
      .map((line) => `- ${line}`)
      .join('\n'),
    noiseOf(run).text,
    `Medians of ${run.roundsDone} rounds, with 95% confidence intervals in brackets. The column "ours" is the figure of our store on the same database, divided by the figure before it. \`~\` means that the difference may be due to chance.`,
    ...inPageOrder(run.scenarios).flatMap(({ name, title, text, command }) => {
      const cells = run.cells.filter(({ scenario }) => scenario === name)
      return cells.length === 0
        ? []
        : [
            `## ${title}`,
            `${text} Run it again: \`${command}\``,
            ...(name === 'tokens' ? describeTokens(run) : []),
            cellsTable(run, cells),
          ]
    }),
    ...storageBlocks(run),
    ...expiryBlocks(run),
    ...reclaimBlocks(run),
    ...lossBlocks(run),
    ...missingBlocks(run),
  ]
  return `${blocks.flat().join('\n\n')}\n`
}

function cellsTable(run: Run, cells: readonly Cell[]): string {
  const header = [
    'load',
    'store',
    'ops/s',
    'ours',
    'p50 ms',
    'p99 ms',
    'CPU µs',
    'ours',
    'server CPU µs',
    'round trips',
    'bytes',
    'failed',
  ]
  const groups = Map.groupBy(
    cells.toSorted(byParameters),
    ({ operation, parameters }) => `${operation}, ${parametersText(parameters)}`,
  )
  const rows = [...groups].flatMap(([label, group]) =>
    group.toSorted(byRate).map((cell, index) => [index === 0 ? label : '', ...rowOf(run, cell)]),
  )
  return table([header, ...rows])
}

function rowOf(run: Run, cell: Cell): string[] {
  const subject = run.subjects.find(({ id }) => id === cell.subject)!
  const ours = subject.comparedWith[0]
  const rival = ours === undefined ? undefined : counterpart(run, cell, ours)
  const figures = (metric: Metric) => format(figure(cell, metric)?.median)
  const share = failedShare(cell)
  return [
    subject.name,
    formatInterval(figure(cell, 'opsPerSecond')),
    formatRatio(rival && compare(rival, cell, 'opsPerSecond')),
    figures('p50'),
    figures('p99'),
    figures('cpuApp'),
    formatRatio(rival && compare(rival, cell, 'cpuApp')),
    figures('cpuServer'),
    figures('roundTrips'),
    bytesOf(cell),
    share === 0 ? '' : `${(share * 100).toFixed(2)}%`,
  ]
}

/** Sorts the fastest cell first. */
const byRate = (a: Cell, b: Cell): number =>
  (figure(b, 'opsPerSecond')?.median ?? 0) - (figure(a, 'opsPerSecond')?.median ?? 0)

function storageBlocks(run: Run): string[] {
  const rows = findStorage(run)
  if (rows.length === 0) return []
  const reasons = explainStorage(run).map((line) => `- ${line}`)
  return ['## Bytes of a session', table([[...storageHead], ...rows]), ...reasons]
}

/** Renders the lateness of all sessions in all rounds. */
function expiryBlocks(run: Run): string[] {
  if (run.expiry.length === 0) return []
  const rows = [...Map.groupBy(run.expiry.toSorted(inOrder(run)), ({ subject }) => subject)].map(
    ([id, rounds]) => {
      const late = rounds.flatMap((round) => round.late).sort((a, b) => a - b)
      const early = rounds.flatMap((round) => round.early)
      const at = (share: number) => format(late[Math.min(Math.floor(late.length * share), late.length - 1)])
      return [
        nameOf(run, id),
        ...[at(0.5), at(0.99), at(1)],
        early.length === 0 ? '' : `${early.length} of ${late.length}, by up to ${format(Math.max(...early))}`,
      ]
    },
  )
  const header = ['store', 'late by, p50 ms', 'p99 ms', 'max ms', 'gone before the deadline']
  return ['## Expiry', table([header, ...rows])]
}

function reclaimBlocks(run: Run): string[] {
  if (run.reclaim.length === 0) return []
  const rows = run.reclaim.toSorted(inOrder(run)).map(({ subject, sessions, half, all, watched }) => {
    const gone = (ms: number | null): string =>
      ms === null ? `not within ${format(watched / 1000)}` : format(ms / 1000)
    return [nameOf(run, subject), format(sessions), gone(half), gone(all)]
  })
  const header = ['store', 'expired at once', 'half gone after s', 'all gone after s']
  return ['## Storage of expired sessions', table([header, ...rows])]
}

function lossBlocks(run: Run): string[] {
  const rows = findLosses(run).map(({ ours, theirs, what, at, measure, ratio }) => [
    ...[ours, theirs, what, at, measure],
    ...[`${format(ratio.median)}x (${format(ratio.low)}–${format(ratio.high)})`],
  ])
  const header = ['ours', 'against', 'doing', 'with', 'figure', 'ours is']
  const text =
    'Every figure in which another package does significantly better than ours on the same database.'
  const blocks = [
    ...(rows.length === 0 ? [] : [text, table([header, ...rows])]),
    ...slower(run).map((line) => `- ${line}`),
  ]
  const aims = [...findMissedAims(run), ...findMissedTokenAims(run)]
  return [
    ...(blocks.length === 0 ? [] : ['## Where another package is ahead', ...blocks]),
    ...(aims.length === 0
      ? []
      : ['## Aims that were not reached', aims.map((line) => `- ${line}`).join('\n')]),
  ]
}

function missingBlocks(run: Run): string[] {
  if (run.missing.length === 0) return []
  const groups = Map.groupBy(run.missing, ({ subject, reason }) => `${nameOf(run, subject)}: ${reason}`)
  const lines = [...groups].map(([text, group]) => {
    const scenarios = [...new Set(group.map(({ scenario }) => scenario))].filter(Boolean)
    return `- ${text}${scenarios.length === 0 ? '' : ` (${scenarios.join(', ')})`}`
  })
  return ['## Not measured', lines.join('\n')]
}

const nameOf = (run: Run, id: string): string => run.subjects.find((subject) => subject.id === id)?.name ?? id

const parametersText = (parameters: Parameters): string =>
  `${loadOf(parameters)}, ${parameters.payload} B, ${parameters.stored.toLocaleString('en')} stored`

function bytesOf(cell: Cell): string {
  const [out, back] = [figure(cell, 'bytesOut')?.median, figure(cell, 'bytesIn')?.median]
  return out && back ? `${format(out)} + ${format(back)}` : ''
}

const formatInterval = (value: Estimate | undefined): string =>
  value
    ? `${format(value.median)}${value.sure ? ` (${format(value.low)}–${format(value.high)})` : ''}`
    : 'none'

function formatRatio(value: Ratio | undefined): string {
  if (!value) return ''
  return `${value.significant ? '' : '~'}${format(value.median)}x`
}

/** Formats a number with three digits, or all digits of an integer part. */
function format(value: number | undefined): string {
  if (value === undefined) return ''
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

function table([header, ...rows]: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(header!), line(header!.map(() => '---')), ...rows.map(line)].join('\n')
}
