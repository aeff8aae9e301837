import { startCluster } from './cluster.ts'
import { startMongodb } from './mongodb.ts'
import { startPgbouncer } from './pgbouncer.ts'
import { type PostgresServer, startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'
import type { BenchServer } from './server.ts'

/** The servers of a run. Each one is started on first use and keeps running until `stop`. */
export class Servers {
  readonly #started = new Map<string, Promise<BenchServer>>()

  /**
   * Returns the server of this name. If the start fails, every call rejects with the same reason.
   */
  get(name: string): Promise<BenchServer> {
    const known = this.#started.get(name)
    if (known) return known
    const started = this.#start(name)
    this.#started.set(name, started)
    return started
  }

  async #start(name: string): Promise<BenchServer> {
    if (name === 'redis') return startRedis()
    if (name === 'redis-cluster') return startCluster()
    if (name === 'mongodb') return startMongodb()
    if (name === 'postgres') return startPostgres()
    if (name === 'pgbouncer') return startPgbouncer((await this.get('postgres')) as PostgresServer)
    throw new Error(`there is no server '${name}'`)
  }

  /** Returns the running servers. */
  async running(): Promise<BenchServer[]> {
    const results = await Promise.allSettled(this.#started.values())
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  }

  /** Stops all servers, dependent ones first. */
  async stop(): Promise<void> {
    for (const server of (await this.running()).toReversed()) await server.stop()
  }
}
