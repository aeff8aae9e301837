import { statfsSync } from 'node:fs'
import { configDefaults, defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { OutageReporter } from './internal/testbed/src/reporters/outages.ts'
import { ServersReporter } from './internal/testbed/src/reporters/servers.ts'
import { SkipReporter } from './internal/testbed/src/reporters/skips.ts'

/** Which tests run: the `usual` ones, those that take `long`, or `all`, such as files that are named. */
const { SESSION_STORES_TESTS: tests = 'usual' } = process.env

const reporters =
  tests === 'long'
    ? ['default', new SkipReporter(), new OutageReporter()]
    : ['default', new SkipReporter(), new ServersReporter(), new OutageReporter()]
const outputFile = tests === 'long' ? 'reports/vitest-long.json' : 'reports/vitest.json'

/**
 * Tests that take minutes: servers that are killed, hang and are replaced under load, races of
 * thousands of rounds, and what a further client or the benchmark needs. They have a command of their
 * own: `npx -y pnpm@12 test:long`.
 */
const LONG = [
  'internal/lab/test/{deployments,freshness,full,histories,reliability-command,rounds,soak,upgrades}.test.ts',
  'internal/site/test/all-pages.test.ts',
  'packages/*/test/{outage,failover,two-schemas}.test.ts',
  'packages/express/test/attacks.test.ts',
  'packages/mongodb/test/{bulk,replica-set-of-three}.test.ts',
  'packages/postgres/test/hot.test.ts',
  'packages/redis/test/{cluster-versions,node-redis-suite}.test.ts',
  'packages/token/test/revocation.test.ts',
  'benchmarks/test/{cli,runner}.test.ts',
  'test/{first-hour,nextjs}.test.ts',
]

/** The files of `LONG` that take the longest. They begin first, so that none runs alone in the end. */
const LONGEST = /(all-pages|soak|revocation|histories|deployments)\.test\.ts$/
/** Files that start containers. Each container changes the networks of the machine. */
const CONTAINERS = /testbed\/test\/(sources|postgres|mongodb)\.test\.ts$/
/** Files with a browser, which drops its requests (`ERR_NETWORK_CHANGED`) when a network changes. */
const BROWSERS = /(app\/test\/browser|site\/test\/site)\.test\.ts$/

/** Starts the longest files and those with containers first, and browsers after half of the others. */
class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const take = (pattern: RegExp): TestSpecification[] =>
      sorted.filter(({ moduleId }) => pattern.test(moduleId))
    const first = [...take(LONGEST), ...take(CONTAINERS)]
    const browsers = take(BROWSERS)
    const others = sorted.filter((file) => !first.includes(file) && !browsers.includes(file))
    const half = others.length >> 1
    return [...first, ...others.slice(0, half), ...browsers, ...others.slice(half)]
  }
}

/**
 * Tests kill servers but never the machine, so the servers' files need no disk. In memory, where
 * there is enough of it, the servers do not wait for one. The servers of the benchmark stay on
 * disk.
 */
function inMemory(): Record<string, string> {
  const { SESSION_STORES_SERVER_FOLDER: folder = '/dev/shm' } = process.env
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize > 4 * 2 ** 30 ? { SESSION_STORES_SERVER_FOLDER: folder } : {}
  } catch {
    return {}
  }
}

export default defineConfig({
  test: {
    env: inMemory(),
    include:
      tests === 'long'
        ? LONG
        : ['{packages,internal,examples}/*/test/**/*.test.ts', '{benchmarks,test}/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(tests === 'usual' ? LONG : [])],
    // Tests wait for a server to start, never for a clock.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // Many tests wait for a server, so a third one uses the time of two cores.
    maxWorkers: 3,
    pool: 'forks',
    sequence: { sequencer: Sequencer },
    reporters: process.env.CI ? [...reporters, ['json', { outputFile }]] : reporters,
  },
})
