import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processesOf, redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { afterEach, beforeEach, describe, it, vi } from 'vitest'
import type { Run } from '../src/results/results.ts'

let out: string
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'bench-test-'))
})
afterEach(() => rmSync(out, { recursive: true, force: true }))

/** Starts the command. `waitFor` waits for a text on its error output. */
function bench(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/cli.ts'), ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code, stderr }))
  async function waitFor(text: RegExp): Promise<void> {
    while (!text.test(stderr)) await once(child.stderr, 'data')
  }
  return { child, ended, waitFor }
}

/** Returns the content of the only file of this kind. */
function readOutput(extension: 'json' | 'md' | 'html'): string {
  const files = readdirSync(out).filter((name) => name.endsWith(`.${extension}`))
  assert.equal(files.length, 1, files.join())
  return readFileSync(join(out, files[0]!), 'utf8')
}

const run = (): Run => JSON.parse(readOutput('json'))

describe('the command', () => {
  it('writes JSON, Markdown and a self-contained page', async () => {
    const { ended } = bench(['--quick', '--store', 'sqlite', '--scenario', 'request', '--out', out])
    const { code, stderr } = await ended
    assert.equal(code, 0, stderr)
    const { complete, roundsDone, cells } = run()
    assert.deepEqual([complete, roundsDone], [true, 1])
    assert.ok(cells.some(({ subject }) => subject === 'ours-sqlite'))
    assert.ok(cells.every(({ rounds }) => rounds.every(({ errors, wrong }) => errors + wrong === 0)))
    assert.match(readOutput('html'), /<svg/)
    assert.doesNotMatch(readOutput('html'), /<script|<link rel="stylesheet"|<img|url\(/)
    assert.match(readOutput('md'), /SqliteStore/)
  })

  it('measures other stores if a server does not start, reports the reason, and exits with 1 for our own store', async () => {
    writeFileSync(join(out, 'redis-server'), '#!/bin/sh\necho no memory\nexit 1\n', { mode: 0o755 })
    const { ended } = bench(
      '--quick --store redis --store memory --scenario touch --out'.split(' ').concat(out),
      { ...process.env, PATH: `${out}:${process.env.PATH}` },
    )
    const { code, stderr } = await ended
    assert.equal(code, 1, stderr)
    assert.match(stderr, /Our own stores failed:\nours-redis: .*ended before it answered:\nno memory/)
    assert.ok(run().cells.some(({ subject }) => subject === 'ours-memory'))
    assert.match(readOutput('html'), /RedisStore: [^<]*no memory/)
  })

  it('measures only our stores beside those of another checkout with --before', async () => {
    const checkout = join(import.meta.dirname, '../..')
    const { code, stderr } = await bench([
      '--quick',
      '--store',
      'sqlite',
      '--scenario',
      'lookup',
      '--before',
      checkout,
      '--out',
      out,
    ]).ended
    assert.equal(code, 0, stderr)
    const { subjects, cells } = run()
    assert.deepEqual(
      subjects.map(({ id }) => id),
      ['ours-sqlite', 'before-sqlite', 'control-a', 'control-b'],
    )
    const before = cells.filter(
      ({ subject, operation }) => subject === 'before-sqlite' && operation === 'lookup',
    )
    assert.ok(before.length > 0)
    assert.ok(
      before.every(({ rounds }) =>
        rounds.every(({ failure, errors, wrong }) => !failure && errors + wrong === 0),
      ),
    )
  })

  it('refuses a read-only folder before it measures', async () => {
    const file = join(out, 'file')
    writeFileSync(file, '')
    const { code, stderr } = await bench(['--quick', '--out', join(file, 'folder')]).ended
    assert.equal(code, 2)
    assert.match(stderr, /nothing can be written to the folder .*name another with --out/)
  })

  it('refuses unknown arguments and prints its usage', async () => {
    const { code, stderr } = await bench(['--store', 'oracle']).ended
    assert.equal(code, 2)
    assert.match(stderr, /there is no 'oracle'[\s\S]*Usage: bench/)
  })
})

// The command starts its own servers. This server only shows whether one is available.
describeWith('the command on a server', redisProcess, () => {
  it('keeps its results when interrupted, marks them as incomplete, and leaves no process', async () => {
    const { child, ended, waitFor } = bench(
      '--quick --store redis --scenario lookup --rounds 1000 --out'.split(' ').concat(out),
    )
    await waitFor(/round 2 of 1000/)
    const processes = processesOf(child.pid!).slice(1)
    assert.notEqual(processes.length, 0)
    child.kill('SIGINT')
    assert.equal((await ended).code, 130)
    const { complete, reason, cells } = run()
    assert.equal(complete, false)
    assert.match(reason!, /interrupted \(SIGINT\)/)
    assert.notEqual(cells.length, 0)
    assert.match(readOutput('html'), /This run is incomplete/)
    // The last process ends after it has noticed the end of its parent.
    const left = () => processes.filter((pid) => existsSync(`/proc/${pid}`))
    await vi.waitFor(() => assert.deepEqual(left(), []), 10_000)
  })
})
