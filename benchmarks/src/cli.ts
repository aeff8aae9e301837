import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { redisProcess } from '@session-stores/testbed'
import { judge } from './aims.ts'
import { ask, type Job, modules, type Result, start } from './child.ts'
import { aimsTable, suiteTable } from './report.ts'
import { Results } from './figures.ts'
import { durability, type SubjectName } from './subjects.ts'
import { type Suite, suites } from './suites.ts'
import { shuffled } from './workload.ts'

const USAGE = 'Usage: bench [--quick] [--store memory|sqlite|redis|http]... [--rounds N]'

/** Times in milliseconds. */
const full = { sessions: 50_000, rounds: 5, warmUp: 150, duration: 600, httpWarmUp: 500, httpDuration: 1500 }
const quick = { sessions: 10_000, rounds: 2, warmUp: 50, duration: 150, httpWarmUp: 200, httpDuration: 400 }

type Settings = typeof full

async function main(settings: Settings, chosen: readonly Suite[]): Promise<void> {
  const results = new Results()
  const begin = performance.now()
  for (let round = 1; round <= settings.rounds; round++)
    for (const suite of chosen)
      for (const subject of shuffled(suite.subjects)) {
        progress(`round ${round} of ${settings.rounds}: ${suite.name}, ${subject}`)
        try {
          for (const result of await measure(suite, subject, settings))
            results.add({ suite: suite.name, subject, round, ...result })
        } catch (error) {
          results.failures.push(`${suite.name}, ${subject}, round ${round}: ${error}`)
        }
      }
  progress('')

  const judged = judge(results, chosen)
  const [cpu] = cpus()
  const machine = `Node ${process.versions.node}, ${availableParallelism()} cores, ${cpu?.model.trim()}`
  const method = `${settings.sessions.toLocaleString('en')} sessions of about 500 bytes, medians of ${settings.rounds} rounds (min–max)`
  const blocks = [
    `${machine}\n${method}\n${durability.join('\n')}`,
    ...chosen.map((suite) => suiteTable(suite, results)),
    aimsTable(judged),
  ]
  if (results.failures.length > 0) blocks.push(`Failures\n${results.failures.join('\n')}`)
  console.log(blocks.join('\n\n'))

  const minutes = (performance.now() - begin) / 60_000
  const raw = { when: new Date(), machine, method, durability, settings, judged, ...results }
  console.log(`\n${save(raw)}, ${minutes.toFixed(1)} minutes`)
  if (results.failures.length > 0) process.exitCode = 1
}

/** Or what is wrong with them. */
function readOptions(): { settings: Settings; chosen: Suite[] } | string {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        store: { type: 'string', multiple: true, default: suites.map(({ name }) => name) },
        rounds: { type: 'string' },
      },
    })
    const defaults = values.quick ? quick : full
    const rounds = values.rounds === undefined ? defaults.rounds : Number(values.rounds)
    if (!Number.isSafeInteger(rounds) || rounds < 1) return '--rounds takes a whole number, at least 1'
    const unknown = values.store.find((name) => !suites.some((suite) => suite.name === name))
    if (unknown !== undefined) return `there is no store '${unknown}'`
    const chosen = suites.filter(({ name }) => values.store.includes(name))
    return { settings: { ...defaults, rounds }, chosen }
  } catch (error) {
    return (error as Error).message
  }
}

/** One subject of a suite, once, in a fresh process, on a fresh server or folder. */
async function measure(suite: Suite, subject: SubjectName, settings: Settings): Promise<Result[]> {
  const isHttp = suite.name === 'http'
  const folder = mkdtempSync(join(tmpdir(), 'benchmark-'))
  await using redis = subject.includes('edis') ? await redisProcess() : undefined
  const child = start(isHttp ? modules.http : modules.store)
  try {
    return await ask<Job, Result[]>(child, {
      subject,
      place: { folder, redisUrl: redis?.url ?? '' },
      sessions: settings.sessions,
      cells: shuffled(
        suite.scenarios.flatMap((scenario) =>
          suite.concurrencies.map((concurrency) => ({ scenario, concurrency })),
        ),
      ),
      warmUp: isHttp ? settings.httpWarmUp : settings.warmUp,
      duration: isHttp ? settings.httpDuration : settings.duration,
    })
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

/** Says where. */
function save(raw: object): string {
  const folder = join(import.meta.dirname, '../../reports')
  mkdirSync(folder, { recursive: true })
  const name = `benchmark-${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}.json`
  writeFileSync(join(folder, name), JSON.stringify(raw, null, 2))
  return `reports/${name}`
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

const options = readOptions()
if (typeof options === 'string') {
  console.error(`${options}\n${USAGE}`)
  process.exitCode = 2
} else await main(options.settings, options.chosen)
