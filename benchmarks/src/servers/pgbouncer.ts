import { pgbouncer } from '@session-stores/testbed'
import type { PostgresServer } from './postgres.ts'
import type { BenchServer } from './server.ts'

const POOL_SIZE = 20

/** Starts PgBouncer in transaction mode in front of a PostgreSQL, whose statements are counted. */
export async function startPgbouncer(postgres: PostgresServer): Promise<BenchServer> {
  const pooler = await pgbouncer({ server: postgres.process, poolSize: POOL_SIZE })
  return {
    info: {
      name: 'pgbouncer',
      version: pooler.version,
      settings: {
        pool_mode: 'transaction',
        default_pool_size: `${POOL_SIZE}`,
        server: postgres.info.version,
      },
    },
    async empty(name) {
      const database = `${name}-pgbouncer`
      await postgres.empty(database)
      const url = new URL(pooler.url)
      url.pathname = `/${database}`
      return [url.href]
    },
    counts: () => postgres.counts(),
    stored: (of) => postgres.stored(of),
    pids: () => [pooler.pid!, ...postgres.pids()],
    stop: () => pooler.stop(),
  }
}
