import { MAIN } from '../plan/main-subjects.ts'
import { noiseOf } from '../results/noise.ts'
import type { OperationName, Run, ScenarioName } from '../results/results.ts'
import type { Ratio } from '../results/statistics.ts'
import { compare, counterpart, figure, type Metric } from '../results/summary.ts'
import { enumeration, number } from './html.ts'
import { databaseNames, nameOf, subjectOf } from './labels.ts'

/**
 * The columns of the table: ratios of this project's stores to the packages that most people use.
 */
const columns: readonly [string, ScenarioName, OperationName, Metric, 'most' | 'least'][] = [
  ['lookup', 'lookup', 'lookup', 'opsPerSecond', 'most'],
  ['touch', 'touch', 'touch', 'opsPerSecond', 'most'],
  ['save', 'save', 'save', 'opsPerSecond', 'most'],
  ['lookup + touch', 'request', 'lookup-touch', 'opsPerSecond', 'most'],
  ['its p99', 'request', 'lookup-touch', 'p99', 'most'],
  ['its CPU', 'request', 'lookup-touch', 'cpuApp', 'most'],
  ['one by one', 'request', 'lookup-touch', 'opsPerSecond', 'least'],
]

/**
 * Renders the speed section of the README as Markdown.
 * @param page the path of the full report
 */
function renderSpeed(run: Run, page: string): string {
  const cells = run.cells.filter(({ scenario }) => columns.some(([, name]) => name === scenario))
  const all = cells.map(({ parameters }) => parameters.concurrency)
  const concurrency = { most: Math.max(...all), least: Math.min(...all) }
  const rows = MAIN.flatMap((id) => {
    const peer = run.subjects.find((subject) => subject.id === id)
    const ours = peer && run.subjects.find((subject) => subject.id === peer.comparedWith[0])
    if (!ours) return []
    const ratios = columns.map(([, scenario, operation, metric, load]) => {
      const cell = cells.find(
        (one) =>
          one.subject === ours.id &&
          one.scenario === scenario &&
          one.operation === operation &&
          one.parameters.concurrency === concurrency[load],
      )
      const other = cell && counterpart(run, cell, id)
      return formatRatio(other && compare(cell, other, metric))
    })
    return [`| ${databaseNames[ours.database]}, to ${nameOf(peer)} | ${ratios.join(' | ')} |`]
  })
  const noise = noiseOf(run)
  return [
    noise.verdict === 'quiet' ? '' : noise.text,
    `On ${run.environment.cores} cores, medians of ${run.roundsDone} rounds, ${concurrency.most} calls at once, as a ratio to the peer in the same run; \`~\`: no difference that can be told from chance.`,
    [
      `| | ${columns.map(([title]) => title).join(' | ')} |`,
      `|---|${columns.map(() => '---|').join('')}`,
      ...rows,
    ].join('\n'),
    renderHttp(run),
    `All of it, and where we lose: [the run of ${run.started.slice(0, 10)}](${page}).`,
  ]
    .filter(Boolean)
    .join('\n\n')
}

/** Renders the requests of an application over HTTP, compared with MemoryStore. */
function renderHttp(run: Run): string {
  const ceiling = run.cells.find(
    ({ subject, operation }) => subject === 'MemoryStore' && operation === 'http',
  )
  if (!ceiling) return ''
  const parts = run.cells.flatMap((cell) => {
    const subject = subjectOf(run, cell.subject)
    if (subject.role !== 'ours' || counterpart(run, ceiling, cell.subject) !== cell) return []
    const ofMemory = compare(cell, ceiling, 'opsPerSecond')
    if (!ofMemory) return []
    const peer = MAIN.map((id) => run.subjects.find((one) => one.id === id)).find((one) =>
      one?.comparedWith.includes(cell.subject),
    )
    const rival = peer && counterpart(run, cell, peer.id)
    const beside = rival && figure(rival, 'opsPerSecond') ? compare(cell, rival, 'opsPerSecond') : undefined
    const others = beside && peer ? ` and ${formatRatio(beside)} those of ${nameOf(peer)}` : ''
    return [`${nameOf(subject)} serves ${formatRatio(ofMemory)}${others}`]
  })
  return `Express over HTTP, ${ceiling.parameters.concurrency} connections, beside the requests of express-session's MemoryStore: ${enumeration(parts)}.`
}

const formatRatio = (ratio: Ratio | undefined): string =>
  ratio ? `${ratio.significant ? '' : '~'}${number(ratio.median)}x` : ''

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
