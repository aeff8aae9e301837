import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { driverSuite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { sqliteDriver } from '../src/index.ts'

driverSuite({ describe, it }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
  const path = join(folder, 'sessions.db')
  return {
    drivers: [sqliteDriver({ path }), sqliteDriver({ path })],
    dispose: () => rmSync(folder, { recursive: true }),
  }
})
