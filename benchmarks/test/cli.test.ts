import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { afterEach, beforeEach, describe, it, vi } from 'vitest'
import type { Run } from '../src/results/results.ts'

let out: string
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'bench-test-'))
})
afterEach(() => rmSync(out, { recursive: true, force: true }))

/** Starts the command with these arguments; `said` waits for a line on its error output. */
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
  async function said(text: RegExp): Promise<void> {
    while (!text.test(stderr)) await once(child.stderr, 'data')
  }
  return { child, ended, said }
}

/** What it wrote into its one file of this kind. */
function written(extension: 'json' | 'md' | 'html'): string {
  const files = readdirSync(out).filter((name) => name.endsWith(`.${extension}`))
  assert.equal(files.length, 1, files.join())
  return readFileSync(join(out, files[0]!), 'utf8')
}

const run = (): Run => JSON.parse(written('json'))

describe('the command', () => {
  it('writes JSON, Markdown and a page that asks no other host for anything', async () => {
    const { ended } = bench(['--quick', '--store', 'sqlite', '--scenario', 'request', '--out', out])
    const { code, stderr } = await ended
    assert.equal(code, 0, stderr)
    const { complete, roundsDone, cells } = run()
    assert.deepEqual([complete, roundsDone], [true, 1])
    assert.ok(cells.some(({ subject }) => subject === 'ours-sqlite'))
    assert.ok(cells.every(({ rounds }) => rounds.every(({ errors, wrong }) => errors + wrong === 0)))
    assert.match(written('html'), /<svg/)
    assert.doesNotMatch(written('html'), /<script|<link rel="stylesheet"|<img|url\(/)
    assert.match(written('md'), /SqliteStore/)
  })

  it('measures the others where a server does not start, says why, and ends with 1 for our own store', async () => {
    writeFileSync(join(out, 'redis-server'), '#!/bin/sh\necho no memory\nexit 1\n', { mode: 0o755 })
    const { ended } = bench(
      '--quick --store redis --store memory --scenario touch --out'.split(' ').concat(out),
      { ...process.env, PATH: `${out}:${process.env.PATH}` },
    )
    const { code, stderr } = await ended
    assert.equal(code, 1, stderr)
    assert.match(stderr, /Our own stores failed:\nours-redis: .*ended before it answered:\nno memory/)
    assert.ok(run().cells.some(({ subject }) => subject === 'ours-memory'))
    assert.match(written('html'), /RedisStore: [^<]*no memory/)
  })

  it('refuses a folder that cannot be written before it measures anything', async () => {
    const file = join(out, 'file')
    writeFileSync(file, '')
    const { code, stderr } = await bench(['--quick', '--out', join(file, 'folder')]).ended
    assert.equal(code, 2)
    assert.match(stderr, /nothing can be written to the folder .*name another with --out/)
  })

  it('refuses what it does not know with how it is used', async () => {
    const { code, stderr } = await bench(['--store', 'oracle']).ended
    assert.equal(code, 2)
    assert.match(stderr, /there is no 'oracle'[\s\S]*Usage: bench/)
  })
})

/** All processes under this one. */
function childrenOf(pid: number): number[] {
  const direct = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
  return direct.flatMap((child) => [child, ...childrenOf(child)])
}

// The command starts servers of its own; this one tells whether any can be had.
describeWith('the command on a server', redisProcess, () => {
  it('keeps what was measured when it is interrupted, says that it is not all, and leaves no process', async () => {
    const { child, ended, said } = bench(
      '--quick --store redis --scenario lookup --rounds 1000 --out'.split(' ').concat(out),
    )
    await said(/round 2 of 1000/)
    const processes = childrenOf(child.pid!)
    assert.notEqual(processes.length, 0)
    child.kill('SIGINT')
    assert.equal((await ended).code, 130)
    const { complete, reason, cells } = run()
    assert.equal(complete, false)
    assert.match(reason!, /interrupted \(SIGINT\)/)
    assert.notEqual(cells.length, 0)
    assert.match(written('html'), /This run is incomplete/)
    // The last one ends when it has seen that its parent did.
    const left = () => processes.filter((pid) => existsSync(`/proc/${pid}`))
    await vi.waitFor(() => assert.deepEqual(left(), []), 10_000)
  })
})
