/**
 * Runs the whole suite for drivers, and the tests of outages, on every client of node-redis that
 * the Redis store takes: versions 5 and 6, on a server, in a cluster and with Sentinels. Prints the
 * tests of each combination. Exits with 1 if one fails.
 *
 *     npx -y pnpm@12 node-redis
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the JSON reporter of vitest writes, as far as it is read here. */
interface Results {
  testResults: {
    name: string
    assertionResults: { ancestorTitles: string[]; status: string; duration?: number }[]
  }[]
}

const root = join(import.meta.dirname, '../../../..')
const files = [
  'node-redis-suite',
  'outage',
  'failover',
  'resend',
  'lifecycle',
  'step',
  'trouble',
  'reconnect',
  'database',
]

const folder = mkdtempSync(join(tmpdir(), 'node-redis-'))
try {
  const report = join(folder, 'results.json')
  const args = ['run', '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`]
  const tests = files.map((name) => `packages/redis/test/${name}.test.ts`)
  const child = spawn(join(root, 'node_modules/.bin/vitest'), [...args, ...tests], {
    cwd: root,
    env: { ...process.env, SESSION_STORES_EVERY_CLIENT: '1', SESSION_STORES_TESTS: 'all' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'close')
  printFigures(JSON.parse(readFileSync(report, 'utf8')))
  process.exitCode = code === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}

/** Prints for each combination of the suite, and for each other file, how many tests passed. */
function printFigures({ testResults }: Results): void {
  const figures = new Map<string, { passed: number; failed: number; seconds: number }>()
  for (const { name, assertionResults } of testResults) {
    const file = name.replace(/.*\/(.*)\.test\.ts$/, '$1')
    for (const { ancestorTitles, status, duration = 0 } of assertionResults) {
      const combination = ancestorTitles.slice(0, ancestorTitles[0]?.startsWith('redis') ? 1 : 2).join(', ')
      const key = file === 'node-redis-suite' ? `the suite, ${combination}` : file
      const figure = figures.get(key) ?? { passed: 0, failed: 0, seconds: 0 }
      if (status === 'passed') figure.passed++
      else figure.failed++
      figure.seconds += duration / 1000
      figures.set(key, figure)
    }
  }
  for (const [key, { passed, failed, seconds }] of figures)
    console.log(`${key}: ${passed} tests pass, ${failed} fail, ${seconds.toFixed(0)} s`)
}
