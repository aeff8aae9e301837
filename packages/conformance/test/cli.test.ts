import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Report, Result } from '@session-stores/conformance'
import { describe, it } from 'vitest'

const program = join(import.meta.dirname, '../src/cli.ts')
const mutantModule = join(import.meta.dirname, 'support/cli/mutant.ts')
const unloadable = join(import.meta.dirname, 'support/cli/unloadable.ts')
const TOUCH = 'touch/extends'
/** A rule that calls no `touch`. */
const OTHER = 'http/destroy-logs-out'

interface Ended {
  code: number
  stdout: string
  stderr: string
}

function cli(args: readonly string[], mutant = 'none'): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, MUTANT: mutant }
    execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

/** Checks a mutant with two rules: one that calls `touch`, and one that does not. */
async function check(mutant: string, ...args: string[]) {
  const chosen = ['--rule', TOUCH, '--rule', OTHER]
  const ended = await cli([mutantModule, '--json', ...chosen, ...args], mutant)
  const report = JSON.parse(ended.stdout) as Report
  const of = (id: string): Result => report.results.find((result) => result.id === id)!
  return { ...ended, report, touch: of(TOUCH), other: of(OTHER) }
}

describe.concurrent('a mutant fails its own rule, and the other rules run', () => {
  for (const [mutant, reason, ...args] of [
    ['calls back twice', undefined],
    ['calls back at once, and has done nothing yet', /^the session is not there$/],
    ['never calls back', /^timed out after 5000 ms$/, '--deadline', '5000'],
    ['throws', /the mutant fails/],
    ['throws later', /^an uncaught error: the mutant fails$/],
    ['rejects later', /^an uncaught error: the mutant fails$/],
    ['blocks', /the event loop is blocked: no message for 5000 ms$/, '--deadline', '5000'],
    ['exits', /^the process ended with code 3$/],
  ] as const)
    it(mutant, async () => {
      const { code, touch, other, report } = await check(mutant, ...args)
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

describe.concurrent('a `make` that fails is told once, and makes the command exit with 2', () => {
  for (const [mutant, reason, ...args] of [
    ['make throws', '`make` threw: no database at this port'],
    ['make hangs', '`make` timed out after 5000 ms', '--deadline', '5000'],
    ['make returns nothing', '`make` returned no store: it must return `{ stores: [store] }`'],
    ['make returns a store', '`make` returned no store: it must return `{ stores: [store] }`'],
    ['no get', 'the store has no `get`'],
  ] as const)
    it(mutant, async () => {
      const { code, stdout, stderr } = await cli([mutantModule, ...args], mutant)
      const told = `${mutantModule} cannot be checked: ${reason}\n`
      assert.deepEqual({ code, stdout, stderr }, { code: 2, stdout: '', stderr: told })
    })
})

describe.concurrent('what goes wrong outside the rules', () => {
  it('resources that are left open are reported, and the process ends', async () => {
    const { code, report } = await check('leaks')
    assert.deepEqual(report.leaks, { TCPServerWrap: 3, Timeout: 3 })
    assert.equal(code, 0)
  })
  it('nothing is reported as open if the store closes everything', async () => {
    assert.deepEqual((await check('none')).report.leaks, {})
  })
  for (const [mutant, message] of [
    ['dispose throws', 'it was closed already'],
    ['dispose hangs', 'timed out after 5000 ms'],
  ] as const)
    it(`a failing dispose does not change the outcome: ${mutant}`, async () => {
      const { code, touch } = await check(mutant)
      assert.deepEqual([touch.outcome, touch.disposal, code], ['passed', message, 0])
    })
  it('an error that no rule reproduces alone is reported', async () => {
    const { code, report, touch, other } = await check('throws once')
    assert.deepEqual([touch.outcome, other.outcome], ['passed', 'passed'])
    assert.match(report.stray.join(), /^once and never again \(in code that .* called\)$/)
    assert.equal(code, 1)
  })
  it('an error that comes after its rule is done names the rule', async () => {
    const { code, report } = await check('throws long after')
    assert.deepEqual(report.stray, ['the mutant fails (in code that touch/extends called)'])
    assert.equal(code, 1)
  })
  it('the output of the store goes to stderr', async () => {
    const { stderr, code } = await check('prints')
    assert.match(stderr, /the store prints/)
    assert.equal(code, 0)
  })
})

describe.concurrent('what a store declares', () => {
  it('every report shows the opt-outs with their reasons', async () => {
    const { touch, code } = await check('opts out')
    assert.deepEqual([touch.outcome, touch.reason, code], ['opted-out', 'it is documented so', 0])
    for (const format of [[], ['--markdown']]) {
      const { stdout } = await cli([mutantModule, '--rule', TOUCH, ...format], 'opts out')
      assert.match(stdout, /Opted out\n+.*touch\/extends.*it is documented so/)
    }
    const { stdout } = await cli([mutantModule, '--rule', TOUCH, '--badge'], 'opts out')
    assert.equal(JSON.parse(stdout).message, '0 of 1')
  })
  it('a method that is declared absent must be absent', async () => {
    assert.equal((await check('has no touch')).touch.outcome, 'absent')
    const { touch, code } = await check('declares touch absent')
    assert.deepEqual(
      [touch.outcome, touch.reason, code],
      ['failed', 'declared absent, but present: touch', 1],
    )
  })
  it('a method that is declared present must be present', async () => {
    const { touch } = await check('declares a touch that is missing')
    assert.deepEqual([touch.outcome, touch.reason], ['failed', 'declared present, but missing: touch'])
  })
  it('a rule is not run if a method is missing without a declaration', async () => {
    const { touch } = await check('lacks a touch without a word')
    assert.deepEqual(
      [touch.outcome, touch.reason],
      ['not-run', 'the store has no touch, and does not declare it absent'],
    )
  })
})

describe.concurrent('a module that cannot be used makes the command exit with 2 and a reason', () => {
  for (const [args, message, mutant] of [
    [[], /^no module is given: /],
    [['./no-such-store.js'], /^there is no file \.\/no-such-store\.js$/m],
    [[unloadable], /unloadable\.ts cannot be loaded: Error: there is no server/],
    [[unloadable], /unloadable\.ts cannot be loaded: the process ended with code 0$/m, 'exits'],
    [
      [unloadable, '--deadline', '2000'],
      /unloadable\.ts cannot be loaded: loading timed out: no message for 10000 ms$/m,
      'blocks',
    ],
    [
      [unloadable, '--deadline', '2000'],
      /unloadable\.ts cannot be loaded: loading timed out: no message for 10000 ms$/m,
      'hangs',
    ],
    [[mutantModule], /mutant\.ts cannot be used: it exports no function `make`$/m, 'no make'],
    [
      [mutantModule],
      /mutant\.ts cannot be used: it has an unknown field `support`; the fields are name, versions, make,/,
      'an unknown field',
    ],
    [[mutantModule], /`optOut` names an unknown rule: touch\/no-such-rule$/m, 'opts out of nothing'],
    [[mutantModule], /`optOut` gives no reason for touch\/extends$/m, 'opts out for no reason'],
    [[mutantModule, 'another.js'], /^only one module can be checked at a time, not also another\.js$/m],
    [[mutantModule, '--rule', 'no-such-rule'], /^no such rule: no-such-rule; --list shows all rules$/m],
    [[mutantModule, '--json', '--badge'], /^only one report can be printed, not --json and --badge$/m],
    [[mutantModule, '--deadline', '0'], /^--deadline takes a whole number of 1 or more, not 0$/m],
    [[mutantModule, '--concurrency', 'many'], /^--concurrency takes a whole number of 1 or more, not many$/m],
    [[mutantModule, '--colour'], /--colour/],
    [['--explain', 'no-such-rule'], /^no such rule: no-such-rule/],
  ] as const)
    it(`${args.map((arg) => arg.replace(import.meta.dirname, '')).join(' ')} ${mutant ?? ''}`, async () => {
      const { code, stdout, stderr } = await cli(args, mutant)
      assert.match(stderr, message)
      assert.deepEqual([code, stdout], [2, ''])
    })
})

describe.concurrent('the output', () => {
  it('is a table with the failures', async () => {
    const { stdout, stderr } = await cli([mutantModule, '--rule', TOUCH, '--rule', OTHER], 'throws')
    assert.match(
      stdout,
      /^the reference store {2}\(express \d.*, express-session \d.*, @session-stores\/conformance /,
    )
    assert.match(stdout, /^touch {2,}1 {2,}· {2,}1 /m)
    assert.match(stdout, /^✗ must {2}touch\/extends: /m)
    assert.match(stdout, /^ +store\.touch\('.*\/\/ throws Error: the mutant fails$/m)
    assert.match(stdout, /^2 rules: 1 passed, 1 failed \(1 must\)$/m)
    assert.equal(stderr, '')
  })
  it('is Markdown', async () => {
    const { stdout, stderr } = await cli([mutantModule, '--markdown', '--rule', TOUCH], 'throws')
    assert.match(stdout, /^# the reference store as a session store\n\n1 rule: 1 failed \(1 must\)\.\n/)
    assert.match(stdout, /^\| touch \| 1 \| {2}\| 1 \|/m)
    assert.match(stdout, /^```js\n(.+\n)*store\.touch\(/m)
    assert.equal(stderr, '1 rule: 1 failed (1 must)\n')
  })
  it('is a badge for shields.io', async () => {
    const { stdout } = await cli([mutantModule, '--badge', '--rule', TOUCH], 'throws')
    assert.deepEqual(JSON.parse(stdout), {
      schemaVersion: 1,
      label: 'session store conformance',
      message: '0 of 1, 1 broken',
      color: 'red',
    })
  })
  it('lists and explains rules', async () => {
    const { stdout } = await cli(['--list', '--rule', 'touch'])
    assert.match(stdout, /^must +touch\/extends +a touch /m)
    assert.doesNotMatch(stdout, /http/)
    const explained = await cli(['--explain', TOUCH])
    assert.match(explained.stdout, /^touch\/extends \(must\)$/m)
    assert.match(explained.stdout, /Why it matters: /)
  })
})
