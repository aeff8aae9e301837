/**
 * Compares rules of refresh token rotation by a model, and writes the table to
 * `docs/generated/refresh-rotation.md`.
 *
 *     npx -y pnpm@12 rotation
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomFrom } from '@session-stores/testbed'
import { quantile, runTabs, runTheft } from './model.ts'
import { type Rule, rules } from './rules.ts'
import { PACE, RUNS, SPREADS, scenarios } from './scenarios.ts'

function toDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  if (seconds >= 7 * 86_400) return 'never in a week'
  return seconds < 7200 ? `${seconds.toLocaleString('en')} s` : `${(seconds / 3600).toFixed(1)} h`
}

function toShare(count: number): string {
  return count === 0 ? '0' : `${((100 * count) / RUNS).toFixed(count < RUNS / 100 ? 2 : 0)}%`
}

function toLine(rule: Rule): string {
  const shares = Object.values(scenarios).map((scenario) => {
    const random = randomFrom(1)
    let signedOut = 0
    for (let run = 0; run < RUNS; run++) if (runTabs(rule, scenario, random).isSignedOut) signedOut++
    return toShare(signedOut)
  })
  const noticed = [SPREADS.irregular, SPREADS.regular].map((spread) => {
    const random = randomFrom(2)
    const thefts = Array.from({ length: RUNS }, () => runTheft(rule, PACE, spread, random))
    return [quantile(thefts, 0.5), quantile(thefts, 0.95)].map(toDuration).join(' / ')
  })
  return `| ${[rule.name, ...shares, ...noticed].join(' | ')} |`
}

const lines = rules.map(toLine)
const columns = [
  'rule',
  ...Object.keys(scenarios),
  'a thief is noticed after (median / 95%)',
  'the same, like clockwork',
]
const text = `# Rules of refresh token rotation, compared

A model of tabs that share one refresh token, as a cookie is shared, and of a client whose token somebody has copied.
${RUNS.toLocaleString('en')} runs for each figure, with the same random numbers for each rule. Made by \`npx -y pnpm@12 rotation\`.

The scenarios say how many tabs refresh how often, how late a request and an answer arrive at most, and how many answers
never arrive. The share is of the runs in which somebody who did nothing wrong was signed out. The thief refreshes as often
as the client, every 5 minutes on average, and both use what they get. The time between two refreshes differs from the
average by up to half, as it does where people work; in the last column by up to 2.5%. There a thief stays unnoticed while
he happens to come within 30 seconds after the client each time.

| ${columns.join(' | ')} |
|${columns.map(() => '---|').join('')}
${lines.join('\n')}

The last rule is [\`decide\`](../../packages/token/src/rotation.ts). The same rule runs on the real stores, in two processes,
in the tests of \`@session-stores/token\`.
`
writeFileSync(join(import.meta.dirname, '../../../../docs/generated/refresh-rotation.md'), text)
console.log(lines.join('\n'))
