/**
 * Writes `docs/generated/conformance.md` and `.json`: the results of all rules on this project's
 * stores and on other stores, with real servers.
 *
 *     npx -y pnpm@12 conformance
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Report } from '@session-stores/conformance'
import { ours } from './ours.ts'
import { renderPage } from './page.ts'
import { prisma } from './prisma.ts'
import { sqlite3 } from './sqlite3.ts'

const root = join(import.meta.dirname, '../../..')

/** Returns the report of one store. It comes from the public command line. */
async function runReport(name: string): Promise<Report> {
  const cli = join(root, 'packages/conformance/src/cli.ts')
  const subject = join(import.meta.dirname, `subjects/${name}.ts`)
  const child = spawn(process.execPath, [cli, '--json', subject], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  if (code !== 0 && code !== 1) throw new Error(`${name} could not be checked`)
  return JSON.parse(output)
}

/** Lists the information about the rules once, and each store's results by rule id. */
function toJson(reports: readonly Report[]): string {
  const [{ results: all }] = reports as [Report]
  const rules = all.map(({ id, title, level, why, source }) => ({ id, title, level, why, source }))
  const stores = reports.map(({ results, ...report }) => ({
    ...report,
    results: results.map(({ id, outcome, reason, trace }) => ({ id, outcome, reason, trace })),
  }))
  return `${JSON.stringify({ rules, stores })}\n`
}

/** Writes a file. Removes the path of this checkout from error messages. */
function write(extension: 'json' | 'md', text: string): void {
  writeFileSync(join(root, `docs/generated/conformance.${extension}`), text.replaceAll(`${root}/`, ''))
}

// Fetching and building takes longer than the time limit for loading a store.
await Promise.all([prisma(), sqlite3()])
const all = globSync('subjects/*.ts', { cwd: import.meta.dirname }).map((path) => basename(path, '.ts'))
const theirs = all.filter((name) => !ours.includes(name)).sort()
const reports: Report[] = []
for (const name of [...ours, ...theirs]) {
  process.stderr.write(`${name}: `)
  reports.push(await runReport(name))
}
write('json', toJson(reports))
write('md', renderPage(reports, ours.length))
