import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { redisServer } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'

const programs = join(import.meta.dirname, 'clocks')
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')

/** Runs the cases under a test runner, in a separate process that must exit by itself. */
function run(args: string[], place: string): Promise<{ code: unknown; output: string; passed: number }> {
  const { VITEST, VITEST_MODE, VITEST_POOL_ID, VITEST_WORKER_ID, NODE_ENV, ...env } = process.env
  Object.assign(env, { FLOW_STORE: place, FLOW_PREFIX: `flows-${randomUUID()}` })
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: programs, env, timeout: 50_000 }, (error, stdout, stderr) => {
      const output = `${stdout}\n${stderr}`
      const passed = output.match(/^ok \d+ - (?!.*# SKIP)/gm)?.length ?? 0
      resolve({ code: error === null ? 0 : error.code, output, passed })
    })
  })
}

const runners = [
  ['vitest', [vitest, 'run', '--reporter', 'tap-flat']],
  ['node:test', ['--test', '--test-reporter', 'tap', 'under-node.ts']],
] as const

function itUnderRunners(place: () => string): void {
  it.each(runners)('under %s', async (_, args) => {
    const { code, output, passed } = await run([...args], place())
    expect(code, output).toBe(0)
    expect(passed, output).toBe(6)
  })
}

describe("an application's own tests with fake timers", () => {
  describe('on the memory driver', () => itUnderRunners(() => 'memory'))
  describe('on SQLite', () => {
    itUnderRunners(() => {
      const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
      after(() => rmSync(folder, { recursive: true }))
      return join(folder, 'sessions.db')
    })
  })
  describeWith('on Redis', redisServer, ({ url }) => itUnderRunners(() => url))
})
