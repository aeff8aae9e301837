import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { reservePort, type TestServer } from '@session-stores/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPackages, installPackages } from './support/build.ts'
import { type DatabaseServer, databaseServers } from './support/database-servers.ts'
import { makeFolder, writePages } from './support/pages.ts'
import { type Server, start } from './support/program.ts'

/** The pages that lead from another store to ours: nobody is signed out. */

const { folder, remove } = makeFolder('moving')
const pages = writePages('moving', folder)

const SERVERS: Readonly<Record<string, DatabaseServer>> = {
  'connect-redis': databaseServers.redis,
  'connect-mongo': databaseServers.mongodb,
  'connect-pg-simple': databaseServers.postgres,
}

beforeAll(async () => {
  await buildPackages()
  installPackages(folder)
})
afterAll(remove)

describe.each(pages)('from $name', ({ name, folder }) => {
  let database: TestServer | undefined
  let env: Record<string, string>
  beforeAll(async () => {
    const [variable, startServer] = SERVERS[name] ?? []
    database = await startServer?.()
    // MongoDB makes no database of its own accord: the name has to be in the URL.
    const url = database && (name === 'connect-mongo' ? withDatabase(database.url) : database.url)
    env = { SECRET: 'a secret of the test', ...(url && { [variable!]: url }) }
  })
  afterAll(() => database?.[Symbol.asyncDispose]())

  /** Runs a program of the page while `visit` uses it. */
  async function withProgram<T>(program: string, visit: (server: Server) => Promise<T>): Promise<T> {
    const port = await reservePort()
    using _ = { [Symbol.dispose]: port.release }
    await using server = await start(folder, { env: { ...env, PORT: `${port.number}` }, args: [program] })
    return await visit(server)
  }

  test('sessions of the old store go on, and the command moves the rest', async () => {
    const [active, idle] = await withProgram('before.mjs', async (server) => {
      const cookies = []
      for (let i = 0; i < 2; i++) {
        expect(await server.ask('/', undefined, { cookie: '' })).toMatchObject({ body: 'Visits: 1' })
        cookies.push(server.cookie)
      }
      return cookies
    })
    await withProgram('server.mjs', async (server) => {
      const visit = async (cookie: string) => (await server.ask('/', undefined, { cookie })).body
      expect(await visit(active!)).toBe('Visits: 2')
      expect(await server.run('migrate.mjs')).toBe('moved: 1, unreadable: 0\n')
      expect(await visit(idle!)).toBe('Visits: 2')
      expect(await visit(active!)).toBe('Visits: 3')
    })
    if (name.includes('sqlite')) rmSync(join(folder, 'app-sessions.db'))
  })
})

function withDatabase(url: string): string {
  const named = new URL(url)
  if (named.pathname.length < 2) named.pathname = '/app'
  return named.href
}
