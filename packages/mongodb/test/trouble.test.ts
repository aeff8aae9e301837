import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { SECRET, troubleSuite } from '@session-stores/driver-suite'
import { mongoProcess, postgresProcess, redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { MongoClient } from 'mongodb'
import { afterAll, describe, it } from 'vitest'
import { mongoDriver } from '../src/index.ts'
import { deployments, withOption } from './support/servers.ts'

const runner = { describe, it }
/** The option for a URL whose calls fail soon where there is no server. */
const IMPATIENT = 'serverSelectionTimeoutMS=200'

/** Returns a client that is closed at the end of the file. */
function clientOfFile(url: string): MongoClient {
  const client = new MongoClient(url)
  afterAll(() => client.close())
  return client
}

const startWithUsers = () => mongoProcess({ password: `${SECRET}-password` })
describeWith('a server with users', startWithUsers, ({ url }) => {
  const admin = clientOfFile(url)
  const createUser = async (user: string, role: string, database: string) => {
    const rights = { createUser: user, pwd: `${SECRET}-password`, roles: [{ role, db: 'app' }] }
    await admin.db('app').command(rights)
    return mongoDriver({ url: `${url.replace('root', user)}${database}?authSource=app` })
  }
  troubleSuite(runner, {
    'a wrong password': {
      code: 'ACCESS_DENIED',
      driver: () => mongoDriver({ url: url.replace(SECRET, `${SECRET}-other`) }),
    },
    'no password': {
      code: 'ACCESS_DENIED',
      driver: () => mongoDriver({ url: url.replace(/root.*@/, '') }),
    },
    'a user who may only read, until he may write': {
      code: 'ACCESS_DENIED',
      driver: () => createUser('reader', 'read', 'app'),
      end: () => admin.db('app').command({ grantRolesToUser: 'reader', roles: ['readWrite'] }),
    },
    'a user who loses the right to write': {
      code: 'ACCESS_DENIED',
      driver: () => createUser('writer', 'readWrite', 'app'),
      begin: () => admin.db('app').command({ updateUser: 'writer', roles: ['read'] }),
      works: ['get', 'list', 'all', 'length', 'ping'],
      end: () => admin.db('app').command({ updateUser: 'writer', roles: ['readWrite'] }),
    },
    'a database that the user may not use': {
      code: 'ACCESS_DENIED',
      driver: () => createUser('stranger', 'readWrite', 'another'),
    },
  })
})

describe('where there is no MongoDB', () => {
  const at = (address: string) => mongoDriver({ url: `mongodb://me:${SECRET}@${address}/?${IMPATIENT}` })
  troubleSuite(runner, {
    'a port that nobody listens on': { code: 'UNAVAILABLE', driver: () => at('127.0.0.1:9') },
    'a host without an address': { code: 'UNAVAILABLE', driver: () => at('nobody.invalid') },
    'a name of servers without an address': {
      code: 'UNAVAILABLE',
      driver: () => mongoDriver({ url: `mongodb+srv://me:${SECRET}@nobody.invalid/` }),
    },
  })
  describeWith('but a web server', startWebServer, ({ port }) => {
    troubleSuite(runner, { HTTP: { code: 'UNAVAILABLE', driver: () => at(`127.0.0.1:${port}`) } })
  })
  describeWith('but Redis', redisProcess, ({ port }) => {
    troubleSuite(runner, { Redis: { code: 'UNAVAILABLE', driver: () => at(`127.0.0.1:${port}`) } })
  })
  describeWith('but PostgreSQL', postgresProcess, ({ port }) => {
    troubleSuite(runner, { PostgreSQL: { code: 'UNAVAILABLE', driver: () => at(`127.0.0.1:${port}`) } })
  })
})

async function startWebServer(): Promise<AsyncDisposable & { port: number }> {
  const server: Server = createServer((_, response) => response.end('Hello!')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: async () => void server.close() }
}

const startCrowded = () => mongoProcess({ args: ['--maxConns', '10'] })
describeWith('a server that takes few connections', startCrowded, ({ url, port }) => {
  const sockets: Socket[] = []
  troubleSuite(runner, {
    'no connection is left': {
      code: 'UNAVAILABLE',
      async driver() {
        for (let i = 0; i < 10; i++) {
          const socket = connect(port, '127.0.0.1').on('error', () => {})
          sockets.push(socket)
          await once(socket, 'connect')
        }
        return mongoDriver({ url: `${url}?serverSelectionTimeoutMS=500` })
      },
      end() {
        for (const socket of sockets) socket.destroy()
      },
    },
  })
})

const withFailPoints = { args: ['--setParameter', 'enableTestCommands=1'] }
describe.each(deployments)('%s', (_, start) => {
  describeWith(
    'with an error',
    () => start(withFailPoints),
    ({ url }) => {
      const client = clientOfFile(url)
      const admin = client.db('admin')
      const commands = ['insert', 'update', 'delete', 'find', 'aggregate']
      /** A trouble in which the server answers with this error. */
      const errorOf = (errorCode: number) => ({
        begin: () =>
          admin.command({
            configureFailPoint: 'failCommand',
            mode: 'alwaysOn',
            data: { failCommands: commands, errorCode, appName: 'sessions' },
          }),
        end: () => admin.command({ configureFailPoint: 'failCommand', mode: 'off' }),
        works: ['ping'] as const,
        driver: () =>
          mongoDriver({ url: withOption(url, 'appName=sessions'), collection: `answers${errorCode}` }),
      })
      const options = (collection: string) => ({ client, database: 'app', collection })
      troubleSuite(runner, {
        'a time limit that is exceeded (MaxTimeMSExpired)': { code: 'TIMEOUT', ...errorOf(50) },
        'an operation that was killed (Interrupted)': { code: 'TIMEOUT', ...errorOf(11_601) },
        'a disk that is full (OutOfDiskSpace)': { code: 'STORAGE_FULL', ...errorOf(14_031) },
        'a command that it does not know': { code: 'BACKEND', ...errorOf(59) },
        'TLS that it does not speak': {
          code: 'UNAVAILABLE',
          driver: () => mongoDriver({ url: withOption(url, `tls=true&${IMPATIENT}`) }),
        },
        'a lock that blocks writes': {
          code: 'TIMEOUT',
          operationTimeout: 200,
          driver: () => mongoDriver(options('locked')),
          begin: () => admin.command({ fsync: 1, lock: true }),
          works: ['get', 'list', 'all', 'length', 'ping'],
          end: () => admin.command({ fsyncUnlock: 1 }),
        },
        'a view': {
          code: 'READ_ONLY',
          async driver() {
            await client.db('app').command({ create: 'view', viewOn: 'viewed', pipeline: [] })
            return mongoDriver(options('view'))
          },
          end: () => client.db('app').dropCollection('view'),
        },
        'a collection with another index of that name': {
          code: 'BAD_STORAGE',
          async driver() {
            await client
              .db('app')
              .collection('others')
              .createIndex({ purgeAt: 1 }, { expireAfterSeconds: 60 })
            return mongoDriver(options('others'))
          },
          end: () => client.db('app').collection('others').dropIndexes(),
        },
        'a collection that takes only other documents': {
          code: 'BAD_STORAGE',
          driver: () => mongoDriver(options('ruled')),
          begin: () =>
            client.db('app').command({ collMod: 'ruled', validator: { session: { $exists: true } } }),
          works: ['get', 'list', 'all', 'length', 'clear', 'ping'],
          end: () => client.db('app').command({ collMod: 'ruled', validator: {} }),
        },
      })
    },
  )
})
