import { noiseOf } from '../results/noise.ts'
import type { Run } from '../results/results.ts'
import { figure } from '../results/summary.ts'
import { type Dot, dots, thousands } from './chart.ts'
import { expirySection, reclaimSection } from './expiry.ts'
import { html, list, number, table } from './html.ts'
import { legend } from './key.ts'
import { busiest, nameOf, rate, subjectOf } from './labels.ts'
import { figureOf, renderSection } from './section.ts'
import { style } from './style.ts'
import { findLosses, punctuality, slower, verdicts } from './verdict.ts'

/**
 * Renders a run as a self-contained page without scripts, files or other hosts. All statements are
 * computed from the run, so they hold for any run.
 */
export async function renderPage(run: Run): Promise<string> {
  const sections = await Promise.all(run.scenarios.map((scenario) => renderSection(run, scenario)))
  const body = [
    renderHead(run),
    `<h2 id="verdict">Which store</h2>`,
    '<div class="verdict"><div>',
    ...verdicts(run).map(
      ({ title, text, items }) => `<h3>${html(title)}</h3>\n<p>${text}</p>\n${list(items)}`,
    ),
    renderParagraph(punctuality(run)),
    `</div>${await renderOverview(run)}</div>`,
    `<h2 id="reading">How to read this</h2>`,
    renderReading(run),
    ...sections,
    expirySection(run),
    reclaimSection(run),
    `<h2 id="losses">Where we lose</h2>`,
    renderLosses(run),
    `<h2 id="environment">What it ran on</h2>`,
    renderEnvironment(run),
    renderMissing(run),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Session stores compared, ${html(run.started.slice(0, 10))}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
${body.filter(Boolean).join('\n')}
</body>
</html>
`
}

function renderHead(run: Run): string {
  const noise = noiseOf(run)
  const warnings = [
    ...(run.complete
      ? []
      : [`This run is incomplete: ${run.reason}; ${run.roundsDone} of ${run.rounds} rounds were done.`]),
    ...(run.quick ? ['This is a quick run: it shows that all works, and its figures mean little.'] : []),
    ...(noise.verdict === 'quiet' ? [] : [noise.text]),
  ]
  return [
    '<h1>Session stores compared</h1>',
    `<p>What TTL, touch and lookup cost with stores for express-session, measured side by side on one machine. ${html(run.started.slice(0, 10))}, commit <code>${html(run.commit ?? 'unknown')}</code>, <code>${html(run.command)}</code>.</p>`,
    ...warnings.map((text) => `<p class="warning">${html(text)}</p>`),
    `<p class="faint"><a href="#verdict">Which store</a> · ${run.scenarios.map(({ name, title }) => `<a href="#${name}">${html(title)}</a>`).join(' · ')} · <a href="#losses">Where we lose</a> · <a href="#environment">What it ran on</a></p>`,
  ].join('\n')
}

/** Renders the chart of the verdict: requests that only look up and touch, for all stores. */
async function renderOverview(run: Run): Promise<string> {
  const rows = busiest(run, 'request', 'lookup-touch').flatMap((cell): Dot[] => {
    const subject = subjectOf(run, cell.subject)
    const value = figure(cell, 'opsPerSecond')
    if (!value || subject.role === 'floor' || subject.role === 'control') return []
    return [
      { label: nameOf(subject), role: subject.role, value: rate(cell), low: value.low, high: value.high },
    ]
  })
  if (rows.length === 0) return ''
  const caption = 'Requests a second that look up and touch (more is better)'
  return figureOf(caption, await dots(rows, 'a second', thousands, number), legend())
}

function renderReading(run: Run): string {
  return [
    legend(),
    list([
      'A dot is the median of the rounds, its line the 95% interval of the median. Scales are logarithmic: equal distances are equal ratios.',
      '"ours" in a table: how many times the figure of our store on the same database is the one before it. <code>~</code>: a difference that cannot be told from chance.',
      `${html(noiseOf(run).text)} The controls are one subject measured as if it were two.`,
      'Every answer was checked while it was measured: the right session of the right user, with what was saved last. Failed and wrong operations are counted; a store with more than one in a hundred has no figures there.',
      'Each store ran in a fresh process in each round, on the same server with the same durability as the others on that database; they took turns, in random order, each measuring for a moment while the others waited. CPU is that of the application’s process for one operation; round trips and commands are as the server counts them.',
      'In a closed loop an operation begins when the one before it is answered; that shows the peak. At stated rates operations begin on time whatever became of those before, and latency counts from then, so that waiting is not hidden (coordinated omission).',
    ]),
  ].join('\n')
}

/** Fewer rounds give no interval with 95% confidence. */
const LEAST = 6

const renderParagraph = (text: string): string => (text === '' ? '' : `<p>${text}</p>`)

function renderLosses(run: Run): string {
  const found = findLosses(run)
  if (run.roundsDone < LEAST) return `<p>Fewer than ${LEAST} rounds tell nothing from chance.</p>`
  const others = slower(run)
  const rest = others.length === 0 ? '' : list(others.map(html))
  if (found.length === 0)
    return `<p>In no figure of this run does another package do better than ours on the same database, as far as can be told from chance.</p>${rest}`
  const pairs = Map.groupBy(found, ({ ours, theirs }) => `${ours} to ${theirs}`)
  const tables = [...pairs].map(([pair, losses]) => {
    const rows = losses.map(({ what, at, measure, ratio }) => [
      `${number(ratio.median)}x <span class="faint">${number(ratio.low)}–${number(ratio.high)}</span>`,
      `${html(measure)}, ${html(what)} <span class="faint">${html(at)}</span>`,
    ])
    return `<h3>${html(pair)}</h3>\n${table({ head: ['ours is', 'in'], rows }, 2)}`
  })
  return [
    `<p>Every figure in which another package does significantly better than ours on the same database: ${found.length}.</p>`,
    rest,
    ...tables,
  ].join('\n')
}

function renderEnvironment({ environment: machine, servers, subjects, started, ended }: Run): string {
  const minutes = (Date.parse(ended) - Date.parse(started)) / 60_000
  const named = servers.map(({ name, version, settings }) => {
    const set = Object.entries(settings).map(([key, value]) => `${key} = ${value}`)
    return `${html(name)}: ${html(version)}; <span class="faint">${html(set.join(', '))}</span>`
  })
  const rows = subjects.map((subject) => [
    html(nameOf(subject)),
    html(subject.packages.map(({ name, version }) => `${name} ${version}`).join(', ')),
    html(subject.durability),
  ])
  return [
    list([
      `${machine.cores} cores of ${html(machine.cpu)}, ${number(machine.memory / 2 ** 30)} GiB, ${html(machine.kernel)}, Node.js ${html(machine.node)}`,
      `load of the machine before the run: ${machine.loadBefore.toFixed(2)}; the run took ${number(minutes)} minutes`,
      ...named,
    ]),
    table({ head: ['store', 'packages', 'durability'], rows }, 3),
  ].join('\n')
}

function renderMissing(run: Run): string {
  if (run.missing.length === 0) return ''
  const name = (id: string): string => {
    const subject = run.subjects.find((one) => one.id === id)
    return subject ? nameOf(subject) : id
  }
  const groups = Map.groupBy(run.missing, ({ subject, reason }) => `${name(subject)}: ${reason}`)
  const lines = [...groups].map(([text, group]) => {
    const names = [...new Set(group.flatMap(({ scenario }) => scenario ?? []))]
    return html(names.length === 0 ? text : `${text} (${names.join(', ')})`)
  })
  return `<h2 id="missing">Not measured</h2>\n${list(lines)}`
}
