import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Report, Result } from '@session-stores/conformance'
import { describe, it } from 'vitest'

const program = join(import.meta.dirname, '../src/cli.ts')
const faulty = join(import.meta.dirname, 'support/cli/faulty.ts')
const broken = join(import.meta.dirname, 'support/cli/broken.ts')
const TOUCH = 'touch/extends'
/** A rule that touches nothing. */
const OTHER = 'http/destroy-logs-out'

interface Ended {
  code: number
  stdout: string
  stderr: string
}

function cli(args: readonly string[], fault = 'none'): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, FAULT: fault }
    execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

/** Two rules on a store with a fault: one that touches, and one that does not. */
async function check(fault: string, ...args: string[]) {
  const chosen = ['--rule', TOUCH, '--rule', OTHER]
  const ended = await cli([faulty, '--json', ...chosen, ...args], fault)
  const report = JSON.parse(ended.stdout) as Report
  const of = (id: string): Result => report.results.find((result) => result.id === id)!
  return { ...ended, report, touch: of(TOUCH), other: of(OTHER) }
}

describe.concurrent('a store that goes wrong is told so, and the other rules run', () => {
  for (const [fault, reason, ...args] of [
    ['calls back twice', undefined],
    ['calls back at once, and has done nothing yet', /^the session is not there$/],
    ['never calls back', /^it comes to no end within 5000 ms$/, '--deadline', '5000'],
    ['throws', /touch is broken/],
    ['throws later', /^an error that nobody can catch: touch is broken$/],
    ['rejects later', /^an error that nobody can catch: touch is broken$/],
    ['blocks', /event loop stands still: nothing was heard for 5000 ms$/, '--deadline', '5000'],
    ['exits', /^the process ended with code 3$/],
  ] as const)
    it(fault, async () => {
      const { code, touch, other, report } = await check(fault, ...args)
      assert.equal(touch.outcome, reason ? 'failed' : 'passed')
      if (reason) {
        assert.match(touch.reason!, reason)
        assert.ok(touch.trace!.some((line) => line.startsWith("store.touch('the-session-id'")))
      }
      assert.equal(other.outcome, 'passed')
      assert.deepEqual(report.stray, [])
      assert.equal(code, reason ? 1 : 0)
    })
})

describe.concurrent('a `make` that goes wrong fails every rule, and says how', () => {
  for (const [fault, reason] of [
    ['make throws', '`make` threw: no database at this port'],
    ['make hangs', '`make` comes to no end within 5000 ms'],
    ['make returns nothing', '`make` returned no store: it returns `{ stores: [store] }`'],
    ['make returns a store', '`make` returned no store: it returns `{ stores: [store] }`'],
    ['no get', 'the store has no `get`'],
  ] as const)
    it(fault, async () => {
      const { code, touch, other } = await check(fault, '--deadline', '5000')
      for (const { outcome, reason: told } of [touch, other]) {
        assert.deepEqual([outcome, told], ['failed', reason])
      }
      assert.equal(code, 1)
    })
})

describe.concurrent('what goes wrong beside the rules', () => {
  it('is reported as open after the last dispose, and the process ends', async () => {
    const { code, report } = await check('leaks')
    assert.deepEqual(report.leaks, { TCPServerWrap: 2, Timeout: 2 })
    assert.equal(code, 0)
  })
  it('leaves nothing open where the store does not', async () => {
    assert.deepEqual((await check('none')).report.leaks, {})
  })
  for (const [fault, told] of [
    ['dispose throws', 'it was closed already'],
    ['dispose hangs', 'no end within 5000 ms'],
  ] as const)
    it(`has no part in the outcome: ${fault}`, async () => {
      const { code, touch } = await check(fault, '--deadline', '5000')
      assert.deepEqual([touch.outcome, touch.disposal, code], ['passed', told, 0])
    })
  it('is an error that no rule shows by itself', async () => {
    const { code, report, touch, other } = await check('throws once')
    assert.deepEqual([touch.outcome, other.outcome], ['passed', 'passed'])
    assert.match(report.stray.join(), /^once and never again \(of what .* called\)$/)
    assert.equal(code, 1)
  })
  it('is an error that comes when its rule is done; the rule is named', async () => {
    const { code, report } = await check('throws long after')
    assert.deepEqual(report.stray, ['touch is broken (of what touch/extends called)'])
    assert.equal(code, 1)
  })
  it('is not what the store prints', async () => {
    const { stderr, code } = await check('prints')
    assert.match(stderr, /the store prints/)
    assert.equal(code, 0)
  })
})

describe.concurrent('what a store says of itself', () => {
  it('is believed of opt-outs, which every report shows', async () => {
    const { touch, code } = await check('opts out')
    assert.deepEqual([touch.outcome, touch.reason, code], ['opted-out', 'it is documented so', 0])
    for (const format of [[], ['--markdown']]) {
      const { stdout } = await cli([faulty, '--rule', TOUCH, ...format], 'opts out')
      assert.match(stdout, /Opted out\n+.*touch\/extends.*it is documented so/)
    }
    const { stdout } = await cli([faulty, '--rule', TOUCH, '--badge'], 'opts out')
    assert.equal(JSON.parse(stdout).message, '0 of 1')
  })
  it('is checked where it declares a method absent', async () => {
    assert.equal((await check('has no touch')).touch.outcome, 'absent')
    const { touch, code } = await check('declares touch absent')
    assert.deepEqual([touch.outcome, touch.reason, code], ['failed', 'declared absent, and there: touch', 1])
  })
  it('is checked where it declares a method present', async () => {
    const { touch } = await check('declares a touch that is missing')
    assert.deepEqual([touch.outcome, touch.reason], ['failed', 'declared to be there, and missing: touch'])
  })
  it('is missing where a method is and it says nothing: the rule is not run', async () => {
    const { touch } = await check('lacks a touch without a word')
    assert.deepEqual(
      [touch.outcome, touch.reason],
      ['not-run', 'the store has no touch, and does not declare it absent'],
    )
  })
})

describe.concurrent('a module of no use ends with 2 and a line that says why', () => {
  for (const [args, told, fault] of [
    [[], /^which module\?/],
    [['./no-such-store.js'], /^there is no file \.\/no-such-store\.js$/m],
    [[broken], /broken\.ts cannot be loaded: Error: there is no server/],
    [[broken], /broken\.ts cannot be loaded: the process ended with code 0$/m, 'exits'],
    [
      [broken, '--deadline', '2000'],
      /broken\.ts cannot be loaded: .* nothing was heard for 2000 ms$/m,
      'blocks',
    ],
    [
      [broken, '--deadline', '2000'],
      /broken\.ts cannot be loaded: .* nothing was heard for 2000 ms$/m,
      'hangs',
    ],
    [[faulty], /faulty\.ts cannot be used: it exports no function `make`$/m, 'no make'],
    [[faulty], /`optOut` names no rule: touch\/no-such-rule$/m, 'opts out of nothing'],
    [[faulty], /no reason to opt out of touch\/extends$/m, 'opts out for no reason'],
    [[faulty, 'another.js'], /^one module at a time, not also another\.js$/m],
    [[faulty, '--rule', 'no-such-rule'], /^no such rule: no-such-rule; --list names them all$/m],
    [[faulty, '--json', '--badge'], /^one report at a time, not --json and --badge$/m],
    [[faulty, '--deadline', '0'], /^--deadline takes a whole number from 1, not 0$/m],
    [[faulty, '--concurrency', 'many'], /^--concurrency takes a whole number from 1, not many$/m],
    [[faulty, '--colour'], /--colour/],
    [['--explain', 'no-such-rule'], /^no such rule: no-such-rule/],
  ] as const)
    it(`${args.map((arg) => arg.replace(import.meta.dirname, '')).join(' ')} ${fault ?? ''}`, async () => {
      const { code, stdout, stderr } = await cli(args, fault)
      assert.match(stderr, told)
      assert.deepEqual([code, stdout], [2, ''])
    })
})

describe.concurrent('what it prints', () => {
  it('is a table, with what failed and how', async () => {
    const { stdout, stderr } = await cli([faulty, '--rule', TOUCH, '--rule', OTHER], 'throws')
    assert.match(stdout, /^the reference store {2}\(@session-stores\/conformance /)
    assert.match(stdout, /^touch {2,}1 {2,}· {2,}1 /m)
    assert.match(stdout, /^✗ must {2}touch\/extends: /m)
    assert.match(stdout, /^ +store\.touch\('.*\/\/ throws Error: touch is broken$/m)
    assert.match(stdout, /^2 rules: 1 passed, 1 failed \(1 must\)$/m)
    assert.equal(stderr, '')
  })
  it('is Markdown', async () => {
    const { stdout, stderr } = await cli([faulty, '--markdown', '--rule', TOUCH], 'throws')
    assert.match(stdout, /^# the reference store as a session store\n\n1 rule: 1 failed \(1 must\)\.\n/)
    assert.match(stdout, /^\| touch \| 1 \| {2}\| 1 \|/m)
    assert.match(stdout, /^```js\n(.+\n)*store\.touch\(/m)
    assert.equal(stderr, '1 rule: 1 failed (1 must)\n')
  })
  it('is a badge for shields.io', async () => {
    const { stdout } = await cli([faulty, '--badge', '--rule', TOUCH], 'throws')
    assert.deepEqual(JSON.parse(stdout), {
      schemaVersion: 1,
      label: 'session store conformance',
      message: '0 of 1, 1 broken',
      color: 'red',
    })
  })
  it('is what the rules are', async () => {
    const { stdout } = await cli(['--list', '--rule', 'touch'])
    assert.match(stdout, /^must +touch\/extends +a touch /m)
    assert.doesNotMatch(stdout, /http/)
    const explained = await cli(['--explain', TOUCH])
    assert.match(explained.stdout, /^touch\/extends \(must\)$/m)
    assert.match(explained.stdout, /Why it matters: /)
  })
})
