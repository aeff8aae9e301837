import {
  type PgbouncerOptions,
  type ProcessServer,
  pgbouncer,
  postgresProcess,
} from '@session-stores/testbed'

/** Starts a PgBouncer in transaction mode and the PostgreSQL behind it. */
export async function startPooled(options: Omit<PgbouncerOptions, 'server'> = {}): Promise<
  AsyncDisposable &
    Pick<ProcessServer, 'version' | 'source' | 'arrangement'> & {
      pooler: ProcessServer
      server: ProcessServer
    }
> {
  const server = await postgresProcess()
  try {
    const pooler = await pgbouncer({ server, ...options })
    const { version, source, arrangement } = pooler
    return {
      ...{ pooler, server, version, source, arrangement },
      async [Symbol.asyncDispose]() {
        await pooler.stop()
        await server.stop()
      },
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}
