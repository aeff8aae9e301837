import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { it } from 'vitest'

/** More than all that is measured leaves behind, in megabytes: nothing is collected from it. */
const OLD_SPACE = 1000

it('leaves nothing in old space, after a burst and beside sessions that are kept either', async () => {
  const file = join(import.meta.dirname, 'support/garbage-process.ts')
  const flags = [`--initial-old-space-size=${OLD_SPACE}`, '--no-incremental-marking']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, file])
  assert.match(stdout, /^[\d.e-]+\n$/)
  assert.ok(Number(stdout) < 5, `${stdout} bytes a request`)
})
