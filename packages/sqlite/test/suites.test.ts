import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  driverSuite,
  expressSuite,
  raceSuite,
  type StoreBackend,
  storeSuite,
} from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { sqliteDriver } from '../src/index.ts'

const runner = { describe, it }

/** A file of its own, which two drivers share as two processes do. */
function make(): StoreBackend {
  const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
  const path = join(folder, 'sessions.db')
  return {
    drivers: [sqliteDriver({ path }), sqliteDriver({ path })],
    // The database and its log, to the byte.
    dump: () => Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file)))),
    dispose: () => rmSync(folder, { recursive: true }),
  }
}

driverSuite(runner, make)
storeSuite(runner, make)
expressSuite(runner, make)
raceSuite(runner, make)
