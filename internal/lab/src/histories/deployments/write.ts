/**
 * Writes docs/generated/deployments.md from the results of `histories --json`.
 *
 *     npx -y pnpm@12 deployments results.json more-results.json
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Tally } from '../../reliability/result.ts'
import { count, table } from '../../text.ts'
import { sumLost } from '../checker.ts'
import { type DeploymentId, deploymentIds, deployments } from './index.ts'

const page = join(import.meta.dirname, '../../../../../docs/generated/deployments.md')
const results = process.argv.slice(2).flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as Tally[])
const sum = (tallies: readonly Tally[], of: (tally: Tally) => number): number =>
  tallies.reduce((total, tally) => total + of(tally), 0)

const played = deploymentIds
  .map((id) => ({
    id,
    tallies: results.filter(({ database, histories }) => database === id && histories > 0),
  }))
  .filter(({ tallies }) => tallies.length > 0)

const rows = played.map(({ id, tallies }) => {
  const seeds = tallies.flatMap((tally) => tally.seeds)
  const faults = sum(tallies, (tally) => Object.values(tally.faults).reduce((one, other) => one + other, 0))
  const { writes, logouts, tokens } = sumLost(tallies.map((tally) => tally.lost))
  return [
    deployments[id].name,
    tallies[0]!.version,
    count(sum(tallies, ({ histories }) => histories)),
    count(sum(tallies, ({ operations }) => operations)),
    count(sum(tallies, ({ unanswered }) => unanswered)),
    `${faults}`,
    `${sum(tallies, ({ violations }) => violations.length)}`,
    `${sum(tallies, ({ undecided }) => undecided)}`,
    `${writes}, ${logouts} and ${tokens}`,
    `${Math.min(...seeds)} to ${Math.max(...seeds)}`,
  ]
})

const outages = played.flatMap(({ id, tallies }) =>
  [...new Set(tallies.flatMap(({ faults }) => Object.keys(faults)))].sort().map((fault) => {
    const seconds = tallies
      .flatMap(({ silences = {} }) => silences[fault] ?? [])
      .sort((one, other) => one - other)
    return [
      deployments[id as DeploymentId].name,
      fault,
      `${sum(tallies, ({ faults }) => faults[fault] ?? 0)}`,
      seconds.length === 0 ? '–' : seconds[seconds.length >> 1]!.toFixed(1),
      seconds.length === 0 ? '–' : seconds.at(-1)!.toFixed(1),
    ]
  }),
)

const day = new Date().toISOString().slice(0, 10)
const figures = `
${table(
  [
    'deployment',
    'versions',
    'histories',
    'calls',
    'calls without an answer',
    'faults',
    'violations',
    'undecided',
    'acknowledged writes, logouts and tokens lost',
    'seeds',
  ],
  rows,
)}

## Seconds without service

${table(['deployment', 'fault', 'times', 'median, s', 'longest, s'], outages)}

${day}, Node ${process.versions.node}, ${availableParallelism()} cores for everything.
`
const text = readFileSync(page, 'utf8')
writeFileSync(
  page,
  text.replace(/(<!-- figures -->\n).*(<!-- end -->)/s, (_, begin, end) => begin + figures + end),
)
