import { statfsSync } from 'node:fs'
import { configDefaults, defineConfig } from 'vitest/config'
import { ServersReporter } from './internal/testbed/src/reporters/servers.ts'
import { SkipReporter } from './internal/testbed/src/reporters/skips.ts'

const reporters = ['default', new SkipReporter(), new ServersReporter()]

/**
 * Tests that kill, hang and replace servers under load. They wait most of the time and take minutes,
 * so they have a command and a configuration of their own: vitest.outages.config.ts.
 */
export const OUTAGES = 'packages/*/test/{outage,failover}.test.ts'

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
    include: ['{packages,internal,examples}/*/test/**/*.test.ts', '{benchmarks,test}/**/*.test.ts'],
    exclude: [...configDefaults.exclude, OUTAGES],
    // Tests wait for a server to start, never for a clock.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Many tests wait for a server, so a third one uses the time of two cores.
    maxWorkers: 3,
    pool: 'forks',
    reporters: process.env.CI ? [...reporters, ['json', { outputFile: 'reports/vitest.json' }]] : reporters,
  },
})
