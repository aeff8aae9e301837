import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { SECRET, type Trouble, troubleSuite } from '@session-stores/driver-suite'
import { mongoProcess, postgresProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Cluster, Redis } from 'ioredis'
import { afterAll, describe, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { makes } from './support/servers.ts'

const runner = { describe, it }

function closedAtEnd<T extends Redis | Cluster>(client: T): T {
  client.on('error', () => {})
  afterAll(() => client.disconnect())
  return client
}

describe.each(makes)('%s', (_, start) => {
  const guarded = () => start({ password: `${SECRET}-password` })
  describeWith('a server with users', guarded, ({ url }) => {
    const observer = closedAtEnd(new Redis(url))
    const acl = (...words: string[]) => observer.call('ACL', 'SETUSER', ...words)
    const wrong = url.replace(SECRET, `${SECRET}-other`)
    troubleSuite(runner, {
      'a wrong password': { code: 'ACCESS_DENIED', driver: () => redisDriver({ url: wrong }) },
      'no password': {
        code: 'ACCESS_DENIED',
        driver: () => redisDriver({ url: url.replace(/:[^:]*@/, '') }),
      },
      'a wrong password of a client that was lent': {
        code: 'ACCESS_DENIED',
        driver: () => redisDriver({ client: closedAtEnd(new Redis(wrong)) }),
      },
      'a user without rights, until there are some': {
        code: 'ACCESS_DENIED',
        async driver() {
          await acl('guest', 'on', `>${SECRET}-password`, '~sess:*', '+info')
          return redisDriver({ url: url.replace('//:', '//guest:') })
        },
        end: () => acl('guest', '+@all'),
      },
      'a user who may write no more': {
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

  const removed = ['MGET', 'EVALSHA', 'SCAN', 'ZSCAN'].flatMap((name) => ['--rename-command', name, ''])
  const crippled = () => start({ args: removed })
  describeWith('a server whose commands were renamed', crippled, ({ url }) => {
    const driver = () => redisDriver({ url })
    troubleSuite(runner, { 'unknown commands': { code: 'ACCESS_DENIED', driver, works: ['ping'] } })
  })

  describeWith('a server', start, ({ url, port }) => {
    const observer = closedAtEnd(new Redis(url))
    const config = (name: string, value: string) => observer.config('SET', name, value)
    /** In force from `begin` to `end`. */
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
      'a database that is not there': {
        code: 'UNAVAILABLE',
        driver: () => redisDriver({ url: `${url}/99` }),
      },
      'TLS that the server does not speak': {
        code: 'UNAVAILABLE',
        driver: () => redisDriver({ url: url.replace('redis:', 'rediss:') }),
      },
      'a client of a cluster, on a server that is none': {
        code: 'UNAVAILABLE',
        driver: () => {
          const client = closedAtEnd(
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
          const endless = closedAtEnd(new Redis(url))
          endless.eval('while true do end', 0).catch(() => {})
          // Until it is busy it answers nothing.
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
      "an index that is somebody else's": {
        code: 'BAD_STORAGE',
        driver: () => redisDriver({ url }),
        async begin() {
          const [index] = await observer.keys('sess::*')
          await observer.set(index!, 'no sorted set')
        },
        // What is destroyed shares a batch with what is saved, which needs the index.
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
