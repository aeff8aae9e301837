import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { it } from 'vitest'
import { memoryDriver, SessionStore, type StoreOptions } from '../src/index.ts'

const CODE = 'SESSION_STORES_SHORT_DURATION'

/** Makes a store, and returns the warnings of the process meanwhile. */
async function warningsOf(options: StoreOptions): Promise<string[]> {
  const found: string[] = []
  const listener = (warning: Error & { code?: string }): void => {
    if (warning.code === CODE) found.push(`${warning.name}: ${warning.message}`)
  }
  process.on('warning', listener)
  const store = new SessionStore(memoryDriver(), { pruneInterval: false, ...options })
  // Warnings come with the next tick.
  await new Promise(setImmediate)
  process.off('warning', listener)
  await store.close()
  return found
}

const told = (name: string, value: number): string =>
  `SessionStoresWarning: option '${name}' is ${value} milliseconds: if you mean seconds, write ${value} * 1000`

it('durations that are no seconds are taken in silence', async () => {
  const right: StoreOptions[] = [
    {},
    { idleTimeout: 1000, absoluteTimeout: 60_000, touchAfter: 1000, tombstoneTimeout: 1000 },
    { absoluteTimeout: false, touchAfter: 0, tombstoneTimeout: false, pruneInterval: 0 },
    { operationTimeout: 100, pruneInterval: 1000 },
    // A test moves the clock of its store.
    { idleTimeout: 60, now: Date.now },
  ]
  for (const options of right) assert.deepEqual(await warningsOf(options), [])
})

it('durations that look like seconds are told once', async () => {
  assert.deepEqual(await warningsOf({ idleTimeout: 60 }), [told('idleTimeout', 60)])
  assert.deepEqual(await warningsOf({ idleTimeout: 30 }), [])
  const wrong = { absoluteTimeout: 999, touchAfter: 300, tombstoneTimeout: 60, pruneInterval: 15 }
  assert.deepEqual(
    await warningsOf({ ...wrong, operationTimeout: 5 }),
    Object.entries({ ...wrong, operationTimeout: 5 }).map(([name, value]) => told(name, value)),
  )
})

it('the usual durations of other stores, which are seconds, are told', async () => {
  const program = `
    import { memoryDriver, SessionStore } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
    new SessionStore(memoryDriver(), { idleTimeout: 86400, pruneInterval: false })`
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  assert.match(
    stderr,
    /\[SESSION_STORES_SHORT_DURATION\] SessionStoresWarning: option 'idleTimeout' is 86400 millise/,
  )
})
