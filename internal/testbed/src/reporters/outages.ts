import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'
import { type OutageReport, readReport } from './outage.ts'

const root = join(import.meta.dirname, '../../../..')
const document = join(root, 'docs/generated/failover.md')

/**
 * Writes the figures of a run to reports/failover.json and, with UPDATE_DOCS=1, to
 * docs/generated/failover.md.
 */
export class OutageReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const reports = modules
      .flatMap((module) => [...module.children.allTests('passed')])
      .flatMap((test) => {
        const report = readReport(test.meta())
        return report ? [{ outage: test.fullName.replaceAll(' > ', ': '), ...report }] : []
      })
      .sort((a, b) => (a.outage < b.outage ? -1 : 1))
    if (reports.length === 0) return
    mkdirSync(join(root, 'reports'), { recursive: true })
    writeFileSync(join(root, 'reports/failover.json'), `${JSON.stringify(reports, undefined, 2)}\n`)
    if (process.env.UPDATE_DOCS !== '1') return
    const text = readFileSync(document, 'utf8')
    writeFileSync(
      document,
      text.replace(
        /(<!-- figures -->\n).*(<!-- end -->)/s,
        (_, begin, end) => begin + renderTable(reports) + end,
      ),
    )
  }
}

function renderTable(reports: readonly (OutageReport & { outage: string })[]): string {
  const number = (value: number): string => value.toLocaleString('en')
  const lines = reports.map(({ outage, server, silence, recovery, longest, ...counts }) => {
    const { calls, failed, saves, lost, logouts, undone } = counts
    const times = [silence, recovery, longest].map((time) => time.toFixed(1)).join(' | ')
    const share = (part: number, all: number): string => `${number(part)} of ${number(all)}`
    return `| ${outage} | ${server} | ${times} | ${share(failed, calls)} | ${share(lost, saves)} | ${share(undone, logouts)} |`
  })
  const day = new Date().toISOString().slice(0, 10)
  return `\
| outage | server | without service, s | until the last failure, s | longest call, s | calls failed | acknowledged saves lost | acknowledged logouts undone |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}

${day}, Node ${process.versions.node}, ${availableParallelism()} cores for everything.
`
}
