import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'testbed-reports-'))
const document = join(folder, 'docs/generated/servers.md')
const empty = 'Before.\n<!-- servers -->\nold\n<!-- end -->\nAfter.\n'
mkdirSync(join(folder, 'docs/generated'), { recursive: true })
beforeEach(() => writeFileSync(document, empty))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the suites of the fixtures in a separate vitest. */
function run(variables: NodeJS.ProcessEnv, ...filter: string[]): Promise<{ code: number; output: string }> {
  const args = ['run', '--root', join(import.meta.dirname, 'fixtures'), ...filter]
  const env = { PATH: process.env.PATH, NO_COLOR: '1', REPORTS_IN: folder, ...variables }
  return new Promise((resolve) => {
    execFile('vitest', args, { env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr })
    })
  })
}

test('a suite without its server is skipped, and the reason is printed', async () => {
  const { code, output } = await run({ CI: '' }, 'unavailable')
  expect(output).toContain(
    'skipped: a suite without its server > needs its server: no Redis server: it is on holiday',
  )
  expect(output).toMatch(/Tests +1 passed \| 1 skipped/)
  expect(code).toBe(0)
})

test('with CI=true, a suite without its server fails', async () => {
  const { code, output } = await run({ CI: 'true' }, 'unavailable')
  expect(output).toContain('no Redis server: it is on holiday')
  expect(code).toBe(1)
})

test('with CI=true, a test that is skipped without a reason fails the run', async () => {
  const { code, output } = await run({ CI: 'true' }, 'skipped')
  expect(output).toMatch(/skipped without a reason: .*skipped.suite.ts nobody knows why/)
  expect(code).toBe(1)
})

test('a whole run writes which tests ran on which server, the innermost one around each test', async () => {
  const { code } = await run({ CI: '', UPDATE_DOCS: '1' })
  expect(code).toBe(0)
  const [before, head, line, redis, valkey, , packages, ...after] = readFileSync(document, 'utf8')
    .split('\n')
    .slice(1)
  expect([before, line, after]).toEqual([
    '<!-- servers -->',
    '|---|---|---|---|---|',
    ['<!-- end -->', 'After.', ''],
  ])
  expect(head).toBe('| server | set up as | source | tests passed | in |')
  expect(redis).toBe('| redis 7.0.15 |  | path | 2 | served.suite.ts 2 |')
  expect(valkey).toBe('| valkey 9.1.2 |  | fetched | 1 | served.suite.ts 1 |')
  expect(packages).toMatch(/^\d{4}-\d\d-\d\d, with Node [\d.]+, ioredis [\d.]+, mongodb [\d.]+, pg [\d.]+, /)
})

test.each([
  ['of some files', ['served']],
  ['of some tests', ['-t', 'answers']],
])('a run %s does not change the document', async (_, filter) => {
  const { code, output } = await run({ CI: '', UPDATE_DOCS: '1' }, ...filter)
  expect(code).toBe(0)
  expect(output).toContain('docs/generated/servers.md stays as it is')
  expect(readFileSync(document, 'utf8')).toBe(empty)
  const { complete, servers } = JSON.parse(readFileSync(join(folder, 'reports/servers.json'), 'utf8'))
  expect(complete).toBe(false)
  expect(servers).toHaveLength(2)
})
