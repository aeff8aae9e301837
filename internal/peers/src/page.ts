import { broken, count, groups, type Report, type Result } from '@session-stores/conformance'

/** Renders the page of all reports. The first `ours` reports are those of this project's stores. */
export function renderPage(reports: readonly Report[], ours: number): string {
  const [{ date, node, results: rules }] = reports as [Report]
  const named = reports.map((report, i) => ({ ...report, code: i < ours ? `**${codeOf(i)}**` : codeOf(i) }))
  return `${[
    '# What session stores do',
    `Every rule of \`@session-stores/conformance\` on every store, by \`npx -y pnpm@12 conformance\` on ${date.slice(0, 10)} with Node.js ${node}, on real servers. The JSON behind it: [conformance.json](conformance.json). A \`must\` is what express-session or the store's own documentation promises; a \`should\` what its users may expect; an \`info\` a difference worth knowing.`,
    renderTable(
      ['', 'store', 'tested', 'must broken', 'should broken', 'info', 'hold', 'absent', 'not run'],
      named.map(({ code, store, versions, results }) => [
        code,
        store,
        listVersions(versions),
        ...(['must', 'should', 'info'] as const).map((level) => broken(results, level).length || ''),
        ...(['passed', 'absent', 'not-run'] as const).map((outcome) => count(results)[outcome] || ''),
      ]),
    ),
    '✓ holds, **✗** broken, ⊘ the store says that it has no such method, · not run (why: at the end), ! opted out.',
    ...groups(rules).flatMap(([group, members]) => [
      `## ${group}`,
      renderTable(
        ['rule', 'level', ...named.map(({ code }) => code)],
        members.map(({ id, title, level }) => [
          `\`${id}\` ${title}`,
          level,
          ...named.map(({ results }) => SIGNS[results.find((result) => result.id === id)!.outcome]),
        ]),
      ),
    ]),
    '## What fails, and how to see it',
    'The calls of the store as the rule made them, with what they answered: the smallest code that shows it. One rule on one store again: `npx @session-stores/conformance <module> --rule <id>`, with the module in `internal/peers/src/subjects`; why a rule is one: `--explain <id>`.',
    ...named.flatMap(({ store, results }) => renderFailures(store, results)),
    '## What was not run, and what went wrong besides',
    ...named.flatMap(renderRest),
  ].join('\n\n')}\n`
}

const SIGNS = { passed: '✓', failed: '**✗**', absent: '⊘', 'not-run': '·', 'opted-out': '!' } as const

const codeOf = (i: number): string => String.fromCharCode(65 + i)

function listVersions(versions: Report['versions']): string {
  const others = Object.entries(versions).filter(([name]) => name !== '@session-stores/conformance')
  return others.map(([name, version]) => `${name} ${version}`).join(', ')
}

function renderTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => `${cell}`.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

function renderFailures(store: string, results: readonly Result[]): string[] {
  const found = (['must', 'should', 'info'] as const).flatMap((level) => broken(results, level))
  return found.length === 0 ? [] : [`### ${store}`, ...found.map(renderFailure)]
}

/** The maximum length of a line. The JSON contains the complete values. */
const WIDTH = 220

function renderFailure({ id, level, reason = '', trace = [] }: Result): string {
  const cut = (line: string): string => (line.length > WIDTH ? `${line.slice(0, WIDTH)} …` : line)
  const calls = trace.length > 14 ? [...trace.slice(0, 7), '// …', ...trace.slice(-6)] : trace
  const code = [
    ...calls.map(cut),
    ...reason
      .trim()
      .split('\n')
      .slice(0, 12)
      .map((line) => `// ${cut(line)}`.trimEnd()),
  ]
  return `<details><summary><code>${id}</code> (${level})</summary>\n\n\`\`\`\`js\n${code.join('\n')}\n\`\`\`\`\n\n</details>`
}

function renderRest({ store, results, leaks, stray }: Report): string[] {
  const reasons = Map.groupBy(
    results.filter(({ outcome }) => outcome === 'not-run' || outcome === 'opted-out'),
    ({ outcome, reason }) => `${outcome === 'opted-out' ? 'opted out: ' : ''}${reason}`,
  )
  const doubt = results.some(({ givenUp }) => givenUp)
    ? ' (some of it may be of the rules that were given up)'
    : ''
  const lines = [
    ...Array.from(reasons, ([reason, some]) => `${reason}: ${some.map(({ id }) => `\`${id}\``).join(', ')}`),
    ...stray.map((error) => `an error that nobody caught: ${error.split('\n', 1)[0]}`),
    ...Object.entries(leaks).map(([name, count]) => `open at the end: ${count} ${name}${doubt}`),
  ]
  return lines.length > 0 ? [`### ${store}`, lines.map((line) => `- ${line}`).join('\n')] : []
}
