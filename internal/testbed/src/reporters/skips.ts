import type { Reporter, TestModule } from 'vitest/node'

/**
 * Prints why each skipped test was skipped. With `CI=true`, a skip without a reason fails the run.
 */
export class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const test of modules.flatMap((module) => [...module.children.allTests('skipped')])) {
      const result = test.result()
      const note = result.state === 'skipped' ? result.note : undefined
      if (note) process.stdout.write(`skipped: ${test.fullName}: ${note}\n`)
      else if (process.env.CI === 'true') {
        process.stdout.write(`skipped without a reason: ${test.module.moduleId} ${test.fullName}\n`)
        process.exitCode = 1
      }
    }
  }
}
