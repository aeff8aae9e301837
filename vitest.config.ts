import { defineConfig } from 'vitest/config'
import { OutageReporter } from './packages/conformance/src/outage/reporter.ts'
import { SkipReporter } from './packages/testbed/src/reporter.ts'
import { ServersReporter } from './packages/testbed/src/servers-reporter.ts'

const reporters = ['default', new SkipReporter(), new ServersReporter(), new OutageReporter()]

export default defineConfig({
  test: {
    include: ['{packages,examples}/*/test/**/*.test.ts', '{benchmarks,test}/**/*.test.ts'],
    // Server tests wait for a server to start, never for a clock.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    pool: 'forks',
    reporters: process.env.CI ? [...reporters, ['json', { outputFile: 'reports/vitest.json' }]] : reporters,
  },
})
