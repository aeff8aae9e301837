import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Deployment } from '@session-stores/driver-suite'
import { sqliteDriver } from '../../src/index.ts'

/** Makes a new file with two drivers on it, which share the file as two processes do. */
export function makeDeployment(): Deployment {
  const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
  const path = join(folder, 'sessions.db')
  return {
    remote: { module: join(import.meta.dirname, 'remote.ts'), config: { path } },
    // The same table name in another file is another table.
    ownDatabase: true,
    drivers: [sqliteDriver({ path }), sqliteDriver({ path })],
    // All bytes of the database and of its log.
    dump: () => Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file)))),
    dispose: () => rmSync(folder, { recursive: true }),
  }
}
