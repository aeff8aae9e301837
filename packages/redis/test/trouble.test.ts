import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { SECRET, type Trouble, troubleSuite } from '@session-stores/driver-suite'
import { mongoProcess, postgresProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Cluster, Redis } from 'ioredis'
import { afterAll, describe, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { isWhole, type Library, lend, libraries, nodeRedis } from './support/lent.ts'
import type { Place } from './support/place.ts'
import { servers } from './support/servers.ts'

const runner = { describe, it }

function closeAtEnd<T extends Redis | Cluster>(client: T): T {
  client.on('error', () => {})
  afterAll(() => client.disconnect())
  return client
}

/** Makes a driver on a client of the library, which is closed after the tests. */
function driverOn(library: Library, place: Place, database?: number) {
  const { client, close } = lend(library, place, database)
  afterAll(close)
  return redisDriver({ client })
}

describe.each(servers)('%s', (_, start) => {
  const withPassword = () => start({ password: `${SECRET}-password` })
  describeWith('a server with users', withPassword, ({ url }) => {
    const observer = closeAtEnd(new Redis(url))
    const acl = (...words: string[]) => observer.call('ACL', 'SETUSER', ...words)
    const wrong = url.replace(SECRET, `${SECRET}-other`)
    troubleSuite(runner, {
      'a wrong password': { code: 'ACCESS_DENIED', driver: () => redisDriver({ url: wrong }) },
      'no password': {
        code: 'ACCESS_DENIED',
        driver: () => redisDriver({ url: url.replace(/:[^:]*@/, '') }),
      },
      ...Object.fromEntries(
        libraries.map((library) => [
          `a wrong password of a client of ${library} that was lent`,
          { code: 'ACCESS_DENIED', driver: () => driverOn(library, { url: wrong }) } as const,
        ]),
      ),
      'a user without rights, until the rights are given': {
        code: 'ACCESS_DENIED',
        async driver() {
          await acl('guest', 'on', `>${SECRET}-password`, '~sess:*', '+info')
          return redisDriver({ url: url.replace('//:', '//guest:') })
        },
        end: () => acl('guest', '+@all'),
      },
      'a user who loses the right to write': {
        code: 'ACCESS_DENIED',
        async driver() {
          await acl('writer', 'on', `>${SECRET}-password`, '~sess:*', '+@all')
          return redisDriver({ url: url.replace('//:', '//writer:') })
        },
        begin: () => acl('writer', '-@write'),
        works: ['get', 'list', 'all', 'length', 'ping'],
        end: () => acl('writer', '+@all'),
      },
    })
  })

  const renames = ['MGET', 'EVALSHA', 'SCAN', 'ZSCAN'].flatMap((name) => ['--rename-command', name, ''])
  const renamed = () => start({ args: renames })
  describeWith('a server whose commands were renamed', renamed, ({ url }) => {
    const driver = () => redisDriver({ url })
    troubleSuite(runner, { 'unknown commands': { code: 'ACCESS_DENIED', driver, works: ['ping'] } })
  })

  describeWith('a server', start, ({ url, port }) => {
    const observer = closeAtEnd(new Redis(url))
    const config = (name: string, value: string) => observer.config('SET', name, value)
    /** Returns trouble by a setting that has the first value from `begin` to `end`. */
    const setting = (
      name: string,
      [from, to]: [string, string],
      trouble: Omit<Trouble, 'driver'>,
    ): Trouble => ({
      driver: () => redisDriver({ url }),
      begin: () => config(name, from),
      end: () => config(name, to),
      ...trouble,
    })
    const reads = ['get', 'list', 'all', 'length', 'ping'] as const
    const sockets: Socket[] = []
    troubleSuite(runner, {
      'a database that does not exist': {
        code: 'UNAVAILABLE',
        driver: () => redisDriver({ url: `${url}/99` }),
      },
      'TLS that the server does not speak': {
        code: 'UNAVAILABLE',
        driver: () => redisDriver({ url: url.replace('redis:', 'rediss:') }),
      },
      'a replica, with a client of redis 6 that was lent': {
        code: 'READ_ONLY',
        driver: () => driverOn('redis 6', { url }),
        begin: () => observer.replicaof('127.0.0.1', 1),
        works: reads,
        end: () => observer.replicaof('NO', 'ONE'),
      },
      'a database that does not exist, with a client of redis 6 that was lent': {
        code: 'UNAVAILABLE',
        driver: () => driverOn('redis 6', { url }, 99),
      },
      'a Cluster client on a server that is not a cluster': {
        code: 'UNAVAILABLE',
        driver: () => {
          const client = closeAtEnd(
            new Cluster([{ host: '127.0.0.1', port }], { clusterRetryStrategy: () => null }),
          )
          return redisDriver({ client })
        },
      },
      'a replica': {
        code: 'READ_ONLY',
        driver: () => redisDriver({ url }),
        begin: () => observer.replicaof('127.0.0.1', 1),
        works: reads,
        end: () => observer.replicaof('NO', 'ONE'),
      },
      'too few replicas': setting('min-replicas-to-write', ['1', '0'], { code: 'UNAVAILABLE', works: reads }),
      'no connection left': {
        code: 'UNAVAILABLE',
        async driver() {
          await config('maxclients', '5')
          for (let i = 0; i < 5; i++) {
            const socket = connect(port, '127.0.0.1').on('error', () => {})
            sockets.push(socket)
            await once(socket, 'connect')
          }
          return redisDriver({ url })
        },
        async end() {
          for (const socket of sockets) socket.destroy()
          await config('maxclients', '1000')
        },
      },
      'a script that does not end': {
        code: 'UNAVAILABLE',
        driver: () => redisDriver({ url }),
        async begin() {
          await config('lua-time-limit', '1')
          const endless = closeAtEnd(new Redis(url))
          endless.eval('while true do end', 0).catch(() => {})
          // The server answers with BUSY once the script has run for long enough.
          for (;;)
            if (
              await observer.ping().then(
                () => false,
                ({ message }) => /^BUSY/.test(message),
              )
            )
              break
        },
        end: () => observer.script('KILL'),
      },
      'a foreign key in place of an index': {
        code: 'BAD_STORAGE',
        driver: () => redisDriver({ url }),
        async begin() {
          const [index] = await observer.keys('sess::*')
          await observer.set(index!, 'no sorted set')
        },
        // A logout may share a batch with saves, which need the index.
        works: ['get', 'touch', 'all', 'length', 'clear', 'ping'],
        end: () => observer.flushall(),
      },
    })
  })
})

describe('where there is no Redis', () => {
  const at = (port: number) => redisDriver({ url: `redis://me:${SECRET}@127.0.0.1:${port}` })
  troubleSuite(runner, {
    'a port that nobody listens on': { code: 'UNAVAILABLE', driver: () => at(1) },
    ...Object.fromEntries(
      // Each call waits for most of its time limit.
      (isWhole ? nodeRedis : []).map((library) => [
        `a port that nobody listens on, with a client of ${library} that was lent`,
        {
          code: 'UNAVAILABLE',
          driver: () => driverOn(library, { url: `redis://me:${SECRET}@127.0.0.1:1` }),
        } as const,
      ]),
    ),
    'a host without an address': {
      code: 'UNAVAILABLE',
      driver: () => redisDriver({ url: 'redis://nobody.invalid' }),
    },
  })
  describeWith('but a web server', webServer, ({ port }) => {
    troubleSuite(runner, { HTTP: { code: 'UNAVAILABLE', driver: () => at(port) } })
  })
  describeWith('but MongoDB', mongoProcess, ({ port }) => {
    troubleSuite(runner, { MongoDB: { code: 'UNAVAILABLE', driver: () => at(port) } })
  })
  describeWith('but PostgreSQL', postgresProcess, ({ port }) => {
    troubleSuite(runner, { PostgreSQL: { code: 'UNAVAILABLE', driver: () => at(port) } })
  })
})

async function webServer(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((_, response) => response.end('Hello!')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: async () => void server.close() }
}
