import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { Page } from '../pages.ts'

const { resolve } = createRequire(import.meta.url)
const programs = {
  vitest: join(dirname(resolve('vitest/package.json')), 'vitest.mjs'),
  jest: join(dirname(resolve('jest/package.json')), 'bin/jest.js'),
}

/** Runs a test runner in a process that has to end by itself. Returns its exit code and its report. */
function run(folder: string, args: string[]): Promise<{ code: unknown; output: string }> {
  const { VITEST, VITEST_MODE, VITEST_POOL_ID, VITEST_WORKER_ID, NODE_ENV, ...env } = process.env
  return new Promise((resolve) => {
    execFile(
      'node',
      args,
      { cwd: folder, env: { ...env, CI: 'true' }, timeout: 50_000 },
      (error, ...printed) => {
        resolve({ code: error === null ? 0 : (error.code ?? error.signal), output: printed.join('\n') })
      },
    )
  })
}

/** Declares the tests of docs/recipes/testing.md. */
export function testTesting({ folder, markdown }: Page): void {
  const file = join(folder, 'app.test.mjs')
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

  test('the tests pass under Vitest', async () => {
    const { code, output } = await run(folder, [
      programs.vitest,
      'run',
      '--root',
      '.',
      '--reporter',
      'tap-flat',
    ])
    expect(code, output).toBe(0)
    expect(output.match(/^ok \d+/gm), output).toHaveLength(4)
  })

  test('the tests pass under Jest, with the first line that the page says', async () => {
    const [line] = /import \{.+\} from '@jest\/globals'/.exec(markdown)!
    const text = readFileSync(file, 'utf8')
    const changed = text.replace(/^import .+ from 'vitest'$/m, line!)
    expect(changed).not.toBe(text)
    writeFileSync(file, changed)
    const { code, output } = await run(folder, ['--experimental-vm-modules', programs.jest, '--verbose'])
    expect(code, output).toBe(0)
    expect(output.match(/^ +✓/gm), output).toHaveLength(4)
    expect(output).not.toMatch('did not exit')
  })
}
