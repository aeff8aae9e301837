#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { styleText } from 'node:util'
import { explainRules, listRules } from './cli/explain.ts'
import { type Command, type Format, Misuse, parseCommand, USAGE } from './cli/options.ts'
import { supervise } from './cli/supervise.ts'
import { badge } from './report/badge.ts'
import { markdown } from './report/markdown.ts'
import { holds, type Report, summary } from './report/report.ts'
import { table } from './report/table.ts'
import { rules } from './rules/index.ts'

const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  name: string
  version: string
}

async function execute(command: Command): Promise<void> {
  if (command.do === 'help') return print(USAGE)
  if (command.do === 'version') return print(`${version}\n`)
  if (command.do === 'list') return print(listRules(command.rules))
  if (command.do === 'explain') return print(explainRules(command.rules))
  const { store, versions, ...found } = await supervise({
    ...command,
    ...(process.stderr.isTTY && { progress: showProgress }),
  })
  const report: Report = {
    format: 1,
    store,
    versions: { ...versions, [name]: version },
    date: new Date().toISOString(),
    node: process.version,
    ...found,
  }
  if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE)
  print(renderers[command.format](report))
  if (command.format !== 'table') process.stderr.write(`${summary(report.results)}\n`)
  if (!holds(report)) process.exitCode = 1
}

const renderers: Record<Format, (report: Report) => string> = {
  table: (report) => table(report, (text, style) => styleText(style, text)),
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
  markdown,
  badge: (report) => `${JSON.stringify(badge(report))}\n`,
}

/** Moves the cursor to the beginning of the line, and erases the line. */
const CLEAR_LINE = '\r\u001B[K'

function showProgress({ id }: { id: string }, done: number, total: number): void {
  const line = `[${done}/${total}] ${id}`
  process.stderr.write(CLEAR_LINE + line.slice(0, (process.stderr.columns || 80) - 1))
}

function print(text: string): void {
  process.stdout.write(text)
}

try {
  await execute(parseCommand(process.argv.slice(2), rules))
} catch (error) {
  if (!(error instanceof Misuse)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
