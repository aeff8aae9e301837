import { setTimeout as pause } from 'node:timers/promises'
import {
  type PostgresPair,
  pgbouncer,
  postgresPair,
  postgresProcess,
  startProxy,
} from '@session-stores/testbed'
import pg from 'pg'
import type { Fault, Scene } from '../scene.ts'
import type { Deployment, DeploymentInfo, Opening } from './deployment.ts'
import { eventually } from './redis.ts'

type Network = Awaited<ReturnType<typeof startProxy>>

/**
 * A primary and a standby. Applications know one address, which leads to the primary, as it does with
 * Patroni, repmgr and the services that host PostgreSQL.
 */
export async function startStandby(info: DeploymentInfo, isSynchronous: boolean): Promise<Deployment> {
  const pair = await postgresPair({ isSynchronous })
  const address = await startProxy(pair.primary)
  const url = address.through(pair.primary.url)
  return {
    database: 'postgres',
    version: pair.version,
    source: pair.primary.source,
    direct: url,
    through: url,
    // The primary has committed a write for whose standby it waits, and shows it when that has it, too.
    deployment: {
      ...info,
      faults: standbyFaults(pair, address, info),
      calls: isSynchronous ? 25 : 40,
      delaysWrites: isSynchronous,
      // Each failover makes another standby.
      get mutants() {
        return { 'reads from a standby': { kind: 'standby', url, standby: pair.standby.url } } as const
      },
    },
    async [Symbol.asyncDispose]() {
      await address.stop()
      await pair.stop()
    },
  }
}

function standbyFaults(
  pair: PostgresPair,
  address: Network,
  { promised }: DeploymentInfo,
): Record<string, Fault> {
  const failover = (scene: Scene, act: () => Promise<unknown>): Promise<void> =>
    scene.lose(promised === 'kept' ? 'crash' : 'failover', act)
  const cutOff = (): void => {
    pair.link.refuse()
    pair.link.cut()
  }
  return {
    async 'primary killed, standby promoted'(scene) {
      await failover(scene, async () => {
        await pair.primary.kill()
        await pause(scene.random() * 500)
        await pair.promote()
        address.redirect(pair.primary)
      })
      await pair.rebuild()
    },
    async 'standby cut off, then promoted'(scene) {
      const lose = (what: 'split' | 'join', act: () => Promise<unknown>) =>
        promised === 'kept' ? act() : scene.lose(what, act)
      await lose('split', async () => cutOff())
      await pause(200 + scene.random() * 500)
      const promote = async (): Promise<void> => {
        // Whoever promotes a standby has to keep applications away from the old primary first.
        address.refuse()
        address.cut()
        await pair.promote()
        address.redirect(pair.primary)
        address.accept()
      }
      await (promised === 'kept' ? failover(scene, promote) : lose('join', promote))
      await pair.rebuild()
    },
    async 'standby cut off for a while'(scene) {
      cutOff()
      await pause(200 + scene.random() * 600)
      pair.link.accept()
      await streaming(pair)
    },
    async 'primary killed and started again'(scene) {
      // The primary answers later for a write that the standby has not confirmed.
      await failover(scene, async () => {
        await pair.primary.kill()
        await pair.primary.start()
        await streaming(pair)
      })
    },
    async 'connections cut'() {
      address.cut()
    },
  }
}

function streaming({ primary }: PostgresPair): Promise<void> {
  return eventually(async () => (await query(primary.url, 'SELECT 1 FROM pg_stat_replication')).length > 0)
}

/** PgBouncer in transaction mode, before one PostgreSQL. */
export async function startPooler(info: DeploymentInfo): Promise<Deployment> {
  const server = await postgresProcess()
  const pooler = await pgbouncer({ server, poolSize: 5, settings: { server_login_retry: 1 } })
  const proxy = await startProxy(pooler)
  const admin = (text: string) => query(pooler.url.replace(/\/[^/]*$/, '/pgbouncer'), text)
  const restart = async (scene: Scene, of: { kill(): Promise<void>; start(): Promise<void> }) => {
    await of.kill()
    await pause(scene.random() * 200)
    await of.start()
  }
  const faults: Record<string, Fault> = {
    'pooler killed': (scene) => restart(scene, pooler),
    'server killed': (scene) => restart(scene, server),
    async 'pooler paused'(scene) {
      await admin('PAUSE')
      await pause(50 + scene.random() * 900)
      await admin('RESUME')
    },
    async 'pooler stopped'(scene) {
      pooler.pause()
      await pause(50 + scene.random() * 700)
      pooler.resume()
    },
    async 'connections to the server replaced'() {
      await admin('RECONNECT')
    },
    async 'connections of the pool ended'() {
      await query(
        server.url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      )
    },
    async 'connections cut'() {
      proxy.cut()
    },
  }
  return {
    database: 'postgres',
    version: `${pooler.version}, ${server.version}`,
    source: pooler.source,
    direct: JSON.stringify({ kind: 'pooler', url: pooler.url } satisfies Opening),
    through: JSON.stringify({ kind: 'pooler', url: proxy.through(pooler.url) } satisfies Opening),
    deployment: { ...info, faults, calls: 40 },
    async [Symbol.asyncDispose]() {
      await proxy.stop()
      await pooler.stop()
      await server.stop()
    },
  }
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
