import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { rules, suite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { reference } from './support/reference.ts'

const runners = join(import.meta.dirname, 'support/runners')
const require = createRequire(import.meta.url)
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs')

/** Runs Node and returns what it prints, whether tests fail or not. */
function runNode(...args: string[]): Promise<string> {
  const { VITEST, VITEST_MODE, VITEST_POOL_ID, VITEST_WORKER_ID, NODE_ENV, ...env } = process.env
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: runners, env }, (_, stdout) => resolve(stdout))
  })
}

describe.concurrent('runners count a rule as passed only if it was checked', () => {
  it('vitest', async () => {
    const printed = await runNode(vitest, 'run', '--reporter', 'tap-flat')
    const tests = printed.split('\n').filter((line) => /^(not )?ok /.test(line))
    const counted = (kind: RegExp): number => tests.filter((line) => kind.test(line)).length
    assert.deepEqual([counted(/^ok (?!.* # SKIP)/), counted(/^not ok /), counted(/^ok .* # SKIP/)], [1, 1, 2])
  })

  it('node:test', async () => {
    const printed = await runNode('--test', '--test-reporter', 'tap', 'node.ts')
    const counted = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(printed)![1])
    assert.deepEqual([counted('pass'), counted('fail'), counted('skipped')], [1, 1, 2])
    assert.match(printed, /# SKIP not run: `make` gives no `stop`/)
    assert.match(printed, /# SKIP opted out: its sessions never end/)
  })

  it('node:test runs rules side by side', async () => {
    const printed = await runNode('--test', '--test-reporter', 'tap', 'together.ts')
    assert.match(printed, /^# pass 2$/m)
  })

  it('mocha', async () => {
    const printed = await runNode(require.resolve('mocha/bin/mocha.js'), '--reporter', 'json', 'mocha.ts')
    const { stats, pending, failures } = JSON.parse(printed)
    assert.deepEqual([stats.passes, stats.failures, stats.pending], [1, 1, 2])
    assert.match(failures[0].err.message, /Why it matters: .*store\.touch\('the-session-id'/s)
    const titles = pending.map(({ title }: { title: string }) => title)
    assert.match(titles[0], /^http\/an-outage-is-an-error: .* \(not run: `make` gives no `stop`\)$/)
    assert.match(titles[1], /^cookie\/idle-session-ends: .* \(opted out: its sessions never end\)$/)
  })
})

it('an opt-out must name a rule and a reason', () => {
  const optOutOf = (optOut: Record<string, string>) => () =>
    suite({ describe: () => {}, it: () => {}, ...reference(), optOut })
  assert.throws(optOutOf({ 'touch/no-such-rule': 'why not' }), {
    name: 'TypeError',
    message: '`optOut` names an unknown rule: touch/no-such-rule',
  })
  assert.throws(optOutOf({ 'touch/creates-nothing': '' }), TypeError)
})

it('a rule that was not run fails if the runner cannot skip a test', async () => {
  const tests: (() => Promise<void>)[] = []
  const [rule] = rules.filter(({ needs }) => needs?.includes('stop'))
  const { make } = reference()
  suite({
    describe: (_, body) => body(),
    it: (_, body) => tests.push(() => body.call(undefined)),
    make: async (options) => ({ ...(await make(options)), stop: undefined }),
    rules: [rule!],
  })
  await assert.rejects(tests[0]!(), /^Error: not run: `make` gives no `stop`/)
})
