import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inPageOrder } from '../plan/scenarios.ts'
import { noiseOf } from '../results/noise.ts'
import type { Run } from '../results/results.ts'
import { findMissedAims } from './aims.ts'
import { describeSpeed, findChoices } from './choice.ts'
import { html, list, number, table } from './html.ts'
import { legend } from './key.ts'
import { nameOf } from './labels.ts'
import { renderOverview } from './overview.ts'
import { fold, renderSection } from './section.ts'
import { style } from './style.ts'
import { findMissedTokenAims } from './tokens.ts'
import { findLosses, punctuality, slower } from './verdict.ts'

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'))
/** The project's page. */
const home: string = manifest.repository.url.replace(/^git\+|\.git$/g, '')

/**
 * Renders a run as a self-contained page without scripts, files or other hosts. All statements are
 * computed from the run, so they hold for any run.
 */
export async function renderPage(run: Run): Promise<string> {
  const shown = inPageOrder(run.scenarios)
  const sections = await Promise.all(shown.map((scenario) => renderSection(run, scenario)))
  const measured = shown.filter((_, index) => sections[index] !== '')
  const aims = [...findMissedAims(run), ...findMissedTokenAims(run)]
  const rest: [id: string, title: string, body: string][] = [
    ['losses', 'Where another package is ahead', renderLosses(run)],
    ['aims', 'Aims that were not reached', aims.length === 0 ? '' : AIMS + list(aims.map(html))],
    ['environment', 'What it ran on', renderEnvironment(run)],
    ['missing', 'What was not measured', renderMissing(run)],
  ]
  const others = rest.filter(([, , body]) => body !== '')
  const contents: [id: string, title: string][] = [
    ['reading', 'How to read this'],
    ...measured.map(({ name, title }): [string, string] => [name, title]),
    ...others.map(([id, title]): [string, string] => [id, title]),
  ]
  const body = [
    renderHead(run),
    await renderChoice(run),
    `<nav aria-label="Contents" class="faint">${contents.map(([id, title]) => `<a href="#${id}">${html(title)}</a>`).join(' · ')}</nav>`,
    fold('reading', 'How to read this', renderReading(run)),
    ...sections,
    ...others.map(([id, title, text]) => fold(id, title, text)),
    `<p class="faint">${html(run.started.slice(0, 10))}, commit <code>${html(run.commit ?? 'unknown')}</code>, <code>${html(run.command)}</code></p>`,
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Session stores compared, ${html(run.started.slice(0, 10))}</title>
<meta name="description" content="How fast session stores for express-session are on Redis, MongoDB, PostgreSQL and SQLite, and which one to choose.">
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
${body.filter(Boolean).join('\n')}
</main>
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
    '<h1>Which session store?</h1>',
    `<p class="faint note">An Express application serves requests over HTTP with <a href="${home}">our stores</a> and with others.</p>`,
    ...warnings.map((text) => `<p class="warning">${html(text)}</p>`),
  ].join('\n')
}

const AIMS =
  '<p>The project states for each store and load how it should compare with the usual package. These aims were not reached.</p>'

/** Renders the answer to which store to use: a table, a chart, and three sentences on other loads. */
async function renderChoice(run: Run): Promise<string> {
  const rows = findChoices(run).map((choice) => {
    const { database, store, requests, p99, ratio, peer, needs, when } = choice
    const comparison = ratio && `${ratio} <span class="faint">${html(peer)}</span>`
    return `<tr><th scope="row">${html(database)} <span class="faint">${html(store)}</span></th><td class="n"><b>${requests}</b> <span class="unit">a second</span></td><td class="n"><span class="unit">p99</span> ${p99} ms</td><td>${comparison}</td><td><span class="unit">Needs</span> ${html(needs)}</td><td><span class="unit">Choose it when</span> ${html(when)}</td></tr>`
  })
  const head = ['Database', 'Requests a second', 'p99', 'Compared with', 'Needs', 'Choose it when']
  const numeric = head.map((_, index) => (index === 1 || index === 2 ? ' class="n"' : ''))
  const table =
    rows.length === 0
      ? ''
      : `<table class="choice"><thead><tr>${head.map((text, index) => `<th scope="col"${numeric[index]}>${text}</th>`).join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`
  const note =
    rows.length === 0
      ? ''
      : `<p class="faint note">Each store is compared with the usual package, which is the one that most people use on that database. 99 of 100 requests are answered within p99. <code>~</code> means that the difference may be due to chance.</p>`
  const sentences = [...describeSpeed(run).map(html), punctuality(run)].filter(Boolean).slice(0, 3)
  return [
    table,
    `<div class="verdict">${await renderOverview(run)}<div class="sentences">${sentences.map((text) => `<p>${text}</p>`).join('\n')}</div></div>`,
    note,
  ]
    .filter(Boolean)
    .join('\n')
}

function renderReading(run: Run): string {
  return [
    legend(),
    list([
      '“Ours” are the stores of this project. “The usual package” is the one that most people use on that database.',
      'A dot is the median of the rounds, and the line through it is the 95% confidence interval of the median. Scales are logarithmic: equal distances are equal ratios.',
      '“256 at once” means that 256 calls wait for an answer at any time. A touch moves the deadline of a session. Half of the calls were answered within p50, and 99 of 100 within p99.',
      'The column “ours” in a table compares the column before it: it is the figure of our store on the same database, divided by the figure of this row. <code>~</code> means that the difference may be due to chance.',
      `${html(noiseOf(run).text)} The controls measure one store twice, as if it were two.`,
      'Every answer was checked while it was measured: it had to hold the session of the right user with what was saved last. Failed and wrong operations are counted. A store has no figures where more than one operation in a hundred failed.',
      'Each store ran in a new process in each round, on the same server and with the same durability as the others on that database. The stores took turns in random order: each was measured for a moment while the others waited. CPU is what the process of the application used for one operation. Round trips and commands are counted by the server.',
      'In a closed loop, an operation begins when the one before it has been answered, which shows the highest rate. At stated rates, operations begin on time whether or not those before have been answered, and their latency counts from then. So the time that a request waits for its turn is not hidden (“coordinated omission”).',
    ]),
  ].join('\n')
}

/** Fewer rounds give no interval with 95% confidence. */
const LEAST = 6

function renderLosses(run: Run): string {
  const found = findLosses(run)
  if (run.roundsDone < LEAST)
    return `<p>A run of fewer than ${LEAST} rounds cannot tell a difference from chance.</p>`
  const others = slower(run)
  const rest = others.length === 0 ? '' : list(others.map(html))
  if (found.length === 0)
    return `<p>In no figure of this run is another package significantly better than our store on the same database.</p>${rest}`
  const pairs = Map.groupBy(found, ({ ours, theirs }) => `${ours} and ${theirs}`)
  const tables = [...pairs].map(([pair, losses]) => {
    const rows = losses.map(({ what, at, measure, ratio }) => [
      `${number(ratio.median)}x <span class="faint">${number(ratio.low)}–${number(ratio.high)}</span>`,
      `${html(measure)}, ${html(what)} <span class="faint">${html(at)}</span>`,
    ])
    return `<h3>${html(pair)}</h3>\n${table(['ratio', 'figure'], [{ rows }], 2)}`
  })
  return [
    `<p>In ${found.length} figures, another package is significantly better than our store on the same database. The ratio is the figure of our store, divided by that of the other package.</p>`,
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
    table(['store', 'packages', 'durability'], [{ rows }], 3),
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
  return list(lines)
}
