/**
 * Makes `docs/generated/conformance.md` and `docs/generated/conformance.json`: every rule on every store, ours and other people's, on real
 * servers. `npx -y pnpm@12 conformance`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Report } from '@session-stores/conformance'
import { page } from './page.ts'
import { prisma } from './prisma.ts'
import { sqlite3 } from './sqlite3.ts'

const root = join(import.meta.dirname, '../../..')
const ours = ['session-store', 'sqlite-store', 'redis-store', 'postgres-store', 'mongo-store']

/** The report of one store, by the command line that everybody has. */
async function report(name: string): Promise<Report> {
  const cli = join(root, 'packages/conformance/src/cli.ts')
  const subject = join(import.meta.dirname, `subjects/${name}.ts`)
  const child = spawn(process.execPath, [cli, '--json', subject], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [json, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  if (code !== 0 && code !== 1) throw new Error(`${name} could not be checked`)
  return JSON.parse(json)
}

/** What a rule is about stands there once, and each store's results by their ids. */
function json(reports: readonly Report[]): string {
  const [{ results: all }] = reports as [Report]
  const rules = all.map(({ id, title, level, why, source }) => ({ id, title, level, why, source }))
  const stores = reports.map(({ results, ...report }) => ({
    ...report,
    results: results.map(({ id, outcome, reason, trace }) => ({ id, outcome, reason, trace })),
  }))
  return `${JSON.stringify({ rules, stores })}\n`
}

/** Errors may name files: where they are is this machine's own. */
function write(extension: 'json' | 'md', text: string): void {
  writeFileSync(join(root, `docs/generated/conformance.${extension}`), text.replaceAll(`${root}/`, ''))
}

// What is fetched or built for one store takes longer than a store may take to load.
await Promise.all([prisma(), sqlite3()])
const all = globSync('subjects/*.ts', { cwd: import.meta.dirname }).map((path) => basename(path, '.ts'))
const theirs = all.filter((name) => !ours.includes(name)).sort()
const reports: Report[] = []
for (const name of [...ours, ...theirs]) {
  process.stderr.write(`${name}: `)
  reports.push(await report(name))
}
write('json', json(reports))
write('md', page(reports, ours.length))
