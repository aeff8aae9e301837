import { MAIN } from '../plan/main-subjects.ts'
import type { Cell, Run, ScenarioInfo } from '../results/results.ts'
import type { Estimate } from '../results/statistics.ts'
import { compare, counterpart, failedShare, figure, type Metric } from '../results/summary.ts'
import { type Dot, dots, lines, type Point, plain, thousands } from './chart.ts'
import { renderExpiry, renderReclaim } from './expiry.ts'
import { html, list, number, table } from './html.ts'
import { key } from './key.ts'
import {
  busiest,
  databaseNames,
  groupsOf,
  inOrder,
  loadOf,
  nameOf,
  operations,
  rate,
  subjectOf,
} from './labels.ts'
import { explainStorage, findStorage, storageHead } from './storage.ts'
import { describeTokens } from './tokens.ts'

/** Renders a scenario as HTML: charts of the main operations and a table of all figures. */
export async function renderSection(run: Run, scenario: ScenarioInfo): Promise<string> {
  const { name, title, text, command } = scenario
  const body = await renderBody(run, name)
  if (body === '') return ''
  return fold(
    name,
    title,
    [`<p>${html(text)}</p>`, body, `<p class="faint">Run it again: <code>${html(command)}</code></p>`].join(
      '\n',
    ),
  )
}

/** Renders a section that opens at its heading, and when a link leads into it. */
export const fold = (id: string, title: string, body: string): string =>
  `<details class="fold"><summary><h2>${html(title)}</h2></summary>\n<div id="${id}">\n${body}\n</div></details>`

async function renderBody(run: Run, name: ScenarioInfo['name']): Promise<string> {
  if (name === 'expiry') return renderExpiry(run)
  if (name === 'reclaim') return renderReclaim(run)
  if (name === 'storage') return renderStorage(run)
  const groups = groupsOf(run, name)
  if (groups.length === 0) return ''
  const charts = await renderCharts(run, name)
  const sentences = name === 'tokens' ? describeTokens(run) : []
  return [
    ...sentences.map((line) => `<p>${html(line.replaceAll('`', ''))}</p>`),
    `<div class="charts">${charts.join('\n')}</div>`,
    `<details><summary>All figures</summary>${renderCells(run, groups)}</details>`,
  ].join('\n')
}

function renderStorage(run: Run): string {
  const rows = findStorage(run).map((cells) => cells.map(html))
  if (rows.length === 0) return ''
  const reasons = explainStorage(run)
  const why =
    reasons.length === 0
      ? ''
      : `<p>Why a session of ours takes up more than 1.1 times the bytes of the usual package:</p>${list(reasons.map(html))}`
  return `<p>In bytes for each session.</p>${table(storageHead, [{ rows }], 2)}${why}`
}

async function renderCharts(run: Run, name: ScenarioInfo['name']): Promise<string[]> {
  if (name === 'stored')
    return renderGrowth(run, 'stored', 'opsPerSecond', 'sessions stored', 'lookups a second')
  if (name === 'payload')
    return renderGrowth(run, 'payload', 'opsPerSecond', 'bytes a session', 'requests a second')
  if (name === 'fleet')
    return renderGrowth(run, 'fleet', 'opsPerSecond', 'calls at once in each process', 'requests a second')
  if (name === 'open-loop') return renderGrowth(run, 'open-loop', 'p99', 'requests begun a second', 'p99, ms')
  if (name === 'pruning') {
    const both = ['lookup', 'lookup-pruning'] as const
    return Promise.all(
      both.map((operation) =>
        renderChart(
          `${operations[operation]}: p99, ms`,
          rowsOf(run, busiest(run, name, operation), 'p99'),
          'ms',
        ),
      ),
    )
  }
  const main = [
    ...new Set(run.cells.filter(({ scenario }) => scenario === name).map((cell) => cell.operation)),
  ]
  const shown = main.length > 2 ? main.slice(0, 2) : main
  const rendered = shown.flatMap((operation) => {
    const found = busiest(run, name, operation)
    const at = `${operations[operation]}, ${found[0]?.parameters.concurrency} at once`
    return [
      renderChart(
        `${at}: operations a second (more is better)`,
        rowsOf(run, found, 'opsPerSecond'),
        'a second',
      ),
      renderChart(`${at}: p99 in milliseconds (less is better)`, rowsOf(run, found, 'p99'), 'ms'),
    ]
  })
  return Promise.all(rendered)
}

async function renderChart(caption: string, rows: readonly Dot[], unit: string): Promise<string> {
  return rows.length === 0
    ? ''
    : figureOf(caption, await dots(rows, unit, unit === 'ms' ? plain : thousands, number))
}

/**
 * Renders a chart with its caption.
 * @param keys HTML
 */
export const figureOf = (caption: string, svg: string, keys: string = ''): string =>
  `<figure><figcaption><b>${html(capitalize(caption))}</b> ${keys}</figcaption>${svg.replace('<svg ', `<svg role="img" aria-label="${html(caption)}" `)}</figure>`

const capitalize = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

const along = { stored: 'stored', payload: 'payload', 'open-loop': 'rate', fleet: 'concurrency' } as const

/**
 * Renders a chart for each database of how a metric changes: this project's store, the package that
 * most people use, and the limits.
 */
async function renderGrowth(
  run: Run,
  scenario: keyof typeof along,
  metric: Metric,
  x: string,
  y: string,
): Promise<string[]> {
  const most = Math.max(...run.cells.map(({ parameters }) => parameters.processes ?? 0))
  const found = run.cells.filter(({ subject, operation, ...cell }) => {
    if (scenario === 'fleet' && cell.parameters.processes !== most) return false
    const isShown = subjectOf(run, subject).role !== 'peer' || MAIN.includes(subject)
    return cell.scenario === scenario && isShown && (scenario !== 'payload' || operation === 'lookup-touch')
  })
  found.sort(inOrder(run))
  const groups = Map.groupBy(found, ({ subject }) => subjectOf(run, subject).database)
  return Promise.all(
    Array.from(groups, async ([database, group]) => {
      const points = group.flatMap((cell): Point[] =>
        rowsOf(run, [cell], metric).map((dot) => ({ ...dot, x: cell.parameters[along[scenario]]! })),
      )
      const svg = await lines(points, { x, y }, metric === 'p99' ? plain : thousands)
      const names = new Map(points.map(({ label, role }) => [label, role]))
      const keys = Array.from(names, ([label, role]) => key(role, label)).join(' ')
      const fleet = scenario === 'fleet' ? `, ${most} processes` : ''
      return figureOf(`${databaseNames[database]}: ${y}, by ${x}${fleet}`, svg, keys)
    }),
  )
}

function rowsOf(run: Run, found: readonly Cell[], metric: Metric): Dot[] {
  return found.flatMap((cell) => {
    const { role, ...subject } = subjectOf(run, cell.subject)
    const value = figure(cell, metric)
    if (!value || value.median <= 0) return []
    const { median, low, high } = value
    const label = nameOf({ role, ...subject })
    return [
      {
        label,
        role: role === 'control' ? 'ours' : role,
        value: median,
        low: Math.max(low, median / 100),
        high,
      },
    ]
  })
}

const HEAD = [
  ...['store', 'a second', 'ours', 'p50 ms', 'p99 ms', 'ours', 'CPU µs', 'ours', 'server CPU µs'],
  ...['round trips', 'commands', 'bytes sent', 'bytes received', 'memory MiB', 'event loop p99 ms', 'failed'],
]

/**
 * Renders all cells of the groups. The column "ours" is the ratio of this project's figure to the
 * previous column.
 */
function renderCells(run: Run, groups: readonly Cell[][]): string {
  const titled = groups.map((group) => ({
    title: titleOf(group[0]!),
    rows: group.toSorted((a, b) => rate(b) - rate(a)).map((cell) => renderRow(run, cell)),
  }))
  return table(HEAD, titled, 1)
}

/** Describes what was done in a cell, like `lookup; 256 at once, sessions of 200 B, 1,000 stored`. */
function titleOf({ operation, parameters }: Cell): string {
  const { payload, stored } = parameters
  return `${operations[operation]}; ${loadOf(parameters)}, sessions of ${number(payload)} B, ${number(stored)} stored`
}

function renderRow(run: Run, cell: Cell): string[] {
  const subject = subjectOf(run, cell.subject)
  const [id] = subject.comparedWith
  const rival = id === undefined ? undefined : counterpart(run, cell, id)
  const median = (metric: Metric): string => number(figure(cell, metric)?.median)
  const against = (metric: Metric): string => {
    const ratio = rival && compare(rival, cell, metric)
    return ratio ? `${ratio.significant ? '' : '~'}${number(ratio.median)}x` : ''
  }
  const failed = failedShare(cell)
  const memory = figure(cell, 'rssPeak')
  return [
    html(nameOf(subject)),
    formatInterval(figure(cell, 'opsPerSecond')),
    against('opsPerSecond'),
    median('p50'),
    formatInterval(figure(cell, 'p99')),
    against('p99'),
    median('cpuApp'),
    against('cpuApp'),
    ...(['cpuServer', 'roundTrips', 'commands', 'bytesOut', 'bytesIn'] as const).map(median),
    memory ? number(Math.round(memory.median / 2 ** 20)) : '',
    median('eventLoopDelayP99'),
    failed === 0 ? '' : `${number(failed * 100)}%`,
  ]
}

const formatInterval = (value: Estimate | undefined): string =>
  value
    ? `${number(value.median)}${value.sure ? ` <span class="faint">${number(value.low)}–${number(value.high)}</span>` : ''}`
    : 'none'
