import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  driverSuite,
  everyRuleSuite,
  expressSuite,
  type ProcessBackend,
  processRaceSuite,
  raceSuite,
  storeSuite,
} from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { sqliteDriver } from '../src/index.ts'

const runner = { describe, it }

/** A file of its own, which two drivers share as two processes do. */
function make(): ProcessBackend {
  const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
  const path = join(folder, 'sessions.db')
  return {
    remote: { module: join(import.meta.dirname, 'remote.ts'), config: { path } },
    // The file is its own, and a table in it is the same place in every process.
    ownDatabase: true,
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
processRaceSuite(runner, make)
everyRuleSuite(runner, make)
