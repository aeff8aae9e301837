import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { it } from 'vitest'

/**
 * An old space that is larger than all garbage of the measurement, so that V8 collects none.
 * Megabytes.
 */
const OLD_SPACE = 1000

it('a request leaves no garbage in the old space, even after a burst and beside sessions that are kept', async () => {
  const file = join(import.meta.dirname, 'support/garbage-process.ts')
  const flags = [`--initial-old-space-size=${OLD_SPACE}`, '--no-incremental-marking']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, file])
  assert.match(stdout, /^[\d.e-]+\n$/)
  assert.ok(Number(stdout) < 5, `${stdout} bytes a request`)
})
