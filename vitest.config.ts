import { statfsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { OutageReporter } from './internal/testbed/src/reporters/outages.ts'
import { ServersReporter } from './internal/testbed/src/reporters/servers.ts'
import { SkipReporter } from './internal/testbed/src/reporters/skips.ts'

const reporters = ['default', new SkipReporter(), new ServersReporter(), new OutageReporter()]

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
    // Tests wait for a server to start, never for a clock.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Many tests wait for a server, so a third one uses the time of two cores.
    maxWorkers: 3,
    pool: 'forks',
    reporters: process.env.CI ? [...reporters, ['json', { outputFile: 'reports/vitest.json' }]] : reporters,
  },
})
