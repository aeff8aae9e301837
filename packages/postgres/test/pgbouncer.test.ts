import { pgbouncer, postgresProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { contract } from './suites.ts'

async function pooled() {
  const server = await postgresProcess()
  try {
    const { url, version, source, stop } = await pgbouncer({ server })
    const end = async () => {
      await stop()
      await server.stop()
    }
    return { url, version, source, stop: end, [Symbol.asyncDispose]: end }
  } catch (error) {
    await server.stop()
    throw error
  }
}

describeWith('PgBouncer in transaction mode', pooled, (server) =>
  contract(server, { namedStatements: false }),
)
