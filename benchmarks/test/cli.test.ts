import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it, vi } from 'vitest'
import type { Run } from '../src/results.ts'

let out: string
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'bench-test-'))
})
afterEach(() => rmSync(out, { recursive: true, force: true }))

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function bench(...args: string[]): {
  child: ChildProcess
  ended: Promise<Ended>
  said(text: RegExp): Promise<void>
} {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/cli.ts'), ...args])
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text) => {
    stdout += text
  })
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }))
  async function said(text: RegExp): Promise<void> {
    while (!text.test(stderr)) await once(child.stderr!, 'data')
  }
  return { child, ended, said }
}

/** The run of the one JSON file. */
function written(): Run {
  const files = readdirSync(out).filter((name) => name.endsWith('.json'))
  assert.equal(files.length, 1, files.join())
  return JSON.parse(readFileSync(join(out, files[0]!), 'utf8'))
}

describe('the command', () => {
  it('writes JSON, Markdown and a page that asks no other host for anything', async () => {
    const { ended } = bench('--quick', '--store', 'sqlite', '--scenario', 'request', '--out', out)
    const { code, stderr } = await ended
    assert.equal(code, 0, stderr)
    const run = written()
    assert.deepEqual([run.complete, run.roundsDone], [true, 1])
    assert.ok(run.cells.some(({ subject }) => subject === 'ours-sqlite'))
    assert.ok(run.cells.every(({ rounds }) => rounds.every(({ errors, wrong }) => errors + wrong === 0)))
    const [page] = readdirSync(out).filter((name) => name.endsWith('.html'))
    const html = readFileSync(join(out, page!), 'utf8')
    assert.match(html, /<svg/)
    assert.doesNotMatch(html, /<script|<link rel="stylesheet"|<img|url\(/)
    assert.ok(readdirSync(out).some((name) => name.endsWith('.md')))
  })

  it('keeps what was measured when it is interrupted, says that it is not all, and leaves no process', async () => {
    const { child, ended, said } = bench(
      ...['--quick', '--store', 'redis', '--scenario', 'lookup', '--rounds', '1000', '--out', out],
    )
    await said(/round 2 of 1000/)
    const servers = childrenOf(child.pid!)
    assert.notEqual(servers.length, 0)
    child.kill('SIGINT')
    const { code } = await ended
    assert.equal(code, 130)
    const run = written()
    assert.equal(run.complete, false)
    assert.match(run.reason!, /interrupted \(SIGINT\)/)
    assert.notEqual(run.cells.length, 0)
    const [page] = readdirSync(out).filter((name) => name.endsWith('.html'))
    assert.match(readFileSync(join(out, page!), 'utf8'), /This run is incomplete/)
    // The last one ends when it has seen that its parent did.
    await vi.waitFor(
      () =>
        assert.deepEqual(
          servers.filter((pid) => existsSync(`/proc/${pid}`)),
          [],
        ),
      10_000,
    )
  })

  it('refuses a folder that cannot be written before it measures anything', async () => {
    const file = join(out, 'file')
    writeFileSync(file, '')
    const { code, stderr } = await bench('--quick', '--out', join(file, 'folder')).ended
    assert.equal(code, 2)
    assert.match(stderr, /nothing can be written to the folder .*name another with --out/)
  })

  it('refuses what it does not know with how it is used', async () => {
    const { code, stderr } = await bench('--store', 'oracle').ended
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
