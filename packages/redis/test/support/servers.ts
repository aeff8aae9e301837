import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { StoreOptions } from '@session-stores/core'
import { redisProcess, valkeyProcess } from '@session-stores/testbed'
import { after } from '@session-stores/testbed/vitest'
import { type RedisOptions, RedisStore } from '../../src/index.ts'

/** What is tested on both. */
export const makes: [name: string, start: typeof valkeyProcess][] = [
  ['Redis', redisProcess],
  ['Valkey', valkeyProcess],
]

/** A store that is closed after the test, and never prunes. */
export function storeOf(options: RedisOptions & StoreOptions): RedisStore {
  const store = new RedisStore({ pruneInterval: false, ...options })
  after(() => store.close())
  return store
}

/** Runs `process.ts`; `ended` fulfils with what it wrote, or rejects when it failed. */
export function start(
  job: string,
  url: string,
  execArgv: string[] = [],
): { child: ChildProcess; ended: Promise<string> } {
  const child = fork(join(import.meta.dirname, 'process.ts'), [job, url], { execArgv, silent: true })
  after(() => child.kill('SIGKILL'))
  let output = ''
  let complaint = ''
  child.stdout!.on('data', (text) => {
    output += text
  })
  child.stderr!.on('data', (text) => {
    complaint += text
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    if (code !== 0) throw new Error(`the process ended with ${code ?? signal}: ${complaint}`)
    return output.trim()
  })
  return { child, ended }
}
