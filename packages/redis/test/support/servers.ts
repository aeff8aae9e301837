import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { StoreOptions } from '@session-stores/core'
import { redisProcess, valkeyProcess } from '@session-stores/testbed'
import { after } from '@session-stores/testbed/vitest'
import { type RedisOptions, RedisStore } from '../../src/index.ts'

/** The servers on which some tests run one after the other. */
export const servers: [name: string, start: typeof valkeyProcess][] = [
  ['Redis', redisProcess],
  ['Valkey', valkeyProcess],
]

/** Makes a store that is closed after the test and never prunes by itself. */
export function storeOf(options: RedisOptions & StoreOptions): RedisStore {
  const store = new RedisStore({ pruneInterval: false, ...options })
  after(() => store.close())
  return store
}

/**
 * Starts `process.ts`, which is killed after the test. `ended` fulfils with the output, or rejects
 * when the process fails.
 */
export function start(
  job: string,
  url: string,
  execArgv: string[] = [],
  ...args: string[]
): { child: ChildProcess; ended: Promise<string> } {
  const child = fork(join(import.meta.dirname, 'process.ts'), [job, url, ...args], { execArgv, silent: true })
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
