import { redisProcess } from '@session-stores/testbed'
import { Redis } from 'ioredis'
import type { BenchServer, Counts } from './server.ts'

/** More databases than there are subjects whose sessions stay for the whole run. */
const DATABASES = 64

export async function startRedis(): Promise<BenchServer> {
  const server = await redisProcess({ args: ['--databases', `${DATABASES}`] })
  const admin = new Redis(server.url)
  const names: string[] = []
  return {
    info: {
      name: 'redis',
      version: server.version,
      settings: { save: '""', appendonly: 'no' },
    },
    async empty(name) {
      if (!names.includes(name)) names.push(name)
      const database = names.indexOf(name)
      // Both commands are sent together because several places may be emptied concurrently.
      await Promise.all([admin.select(database), admin.flushdb('SYNC')])
      return [`${server.url}/${database}`]
    },
    counts: () => countsOf(admin),
    async stored(url) {
      const keyspace = await admin.info('keyspace')
      return Number(
        new RegExp(`^db${new URL(url).pathname.slice(1)}:keys=(\\d+)`, 'm').exec(keyspace)?.[1] ?? 0,
      )
    },
    async size() {
      const used = /^used_memory:(\d+)/m.exec(await admin.info('memory'))
      return { data: Number(used?.[1]), indexes: null, compressed: null }
    },
    pids: () => [server.pid!],
    async stop() {
      admin.disconnect()
      await server.stop()
    },
  }
}

/**
 * Counts round trips and commands. A round trip is a read from a client's socket that returned
 * data. Commands of scripts count as well.
 */
export async function countsOf(admin: Redis): Promise<Counts> {
  const info = await admin.info('everything')
  const commands = [...info.matchAll(/^cmdstat_(?!info)[^:]*:calls=(\d+)/gm)]
  return {
    roundTrips: Number(/^total_reads_processed:(\d+)/m.exec(info)?.[1]),
    commands: commands.reduce((sum, [, count]) => sum + Number(count), 0),
  }
}
