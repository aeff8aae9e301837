import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** Runs the fixtures' suites in a vitest of its own. */
function run(CI: string, ...filter: string[]): Promise<{ code: number; output: string }> {
  const args = ['run', '--root', join(import.meta.dirname, 'fixtures'), ...filter]
  const env = { PATH: process.env.PATH, CI, NO_COLOR: '1' }
  return new Promise((resolve) => {
    execFile('vitest', args, { env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr })
    })
  })
}

test('a suite without its server is skipped, and says why', async () => {
  const { code, output } = await run('')
  expect(output).toContain(
    'skipped: a suite without its server > needs its server: no Redis server: it is on holiday',
  )
  expect(output).toMatch(/Tests +1 passed \| 2 skipped/)
  expect(code).toBe(0)
})

test('under CI=true it fails', async () => {
  const { code, output } = await run('true', 'unavailable')
  expect(output).toContain('no Redis server: it is on holiday')
  expect(code).toBe(1)
})

test('under CI=true a test that is skipped without a reason fails', async () => {
  const { code, output } = await run('true', 'skipped')
  expect(output).toMatch(/skipped without a reason: .*skipped.suite.ts nobody knows why/)
  expect(code).toBe(1)
})
