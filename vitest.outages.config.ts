import { configDefaults, defineConfig } from 'vitest/config'
import { OutageReporter } from './internal/testbed/src/reporters/outages.ts'
import { SkipReporter } from './internal/testbed/src/reporters/skips.ts'
import config, { OUTAGES } from './vitest.config.ts'

const reporters = ['default', new SkipReporter(), new OutageReporter()]
const outputFile = 'reports/vitest-outages.json'

export default defineConfig({
  test: {
    ...config.test,
    include: [OUTAGES],
    exclude: configDefaults.exclude,
    reporters: process.env.CI ? [...reporters, ['json', { outputFile }]] : reporters,
  },
})
