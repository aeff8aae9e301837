import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { reservePort, type TestServer } from '@session-stores/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPackages, installPackages, published } from './support/build.ts'
import { type DatabaseServer, databaseServers } from './support/database-servers.ts'
import { makeFolder } from './support/pages.ts'
import { start } from './support/program.ts'
import { writeQuickStarts } from './support/quick-starts.ts'

/** The programs of the READMEs run as they stand, on real servers. */

const { folder, remove } = makeFolder('quick-starts')
const starts = writeQuickStarts(folder)
const secret = 'jT7PqE2vXr9WmKf4LzB8nYcD5sGhA1uQ'

/** The variables that tell the programs where the databases are. */
const SERVERS: Readonly<Record<string, DatabaseServer>> = {
  ...databaseServers,
  legacy: databaseServers.redis,
}

beforeAll(async () => {
  await buildPackages()
  installPackages(folder)
})
afterAll(remove)

test('every package that is not for authors of stores has a program in its README', () => {
  const expected = published
    .map((each) => each.folder.split('/').at(-1)!)
    .filter((name) => !['cli', 'conformance', 'driver-suite'].includes(name))
  const others = starts.map(({ name }) => name).filter((name) => !['root', 'start'].includes(name))
  expect(others).toEqual(expected.sort())
  expect(starts).toHaveLength(others.length + 2)
})

test.each(globSync('packages/*/README.md', { cwd: join(import.meta.dirname, '..') }))(
  '%s names the types that TypeScript needs, where it has a program',
  (path) => {
    const readme = readFileSync(join(import.meta.dirname, '..', path), 'utf8')
    if (/^\/\/ [\w-]+\.cjs$/m.test(readme)) expect(readme).toContain('@types/express-session')
  },
)

describe.each(starts)('the program of the README of $name', ({ name, folder, files, installs }) => {
  let server: TestServer | undefined
  let env: Record<string, string>
  beforeAll(async () => {
    const [variable, startServer] = SERVERS[name] ?? []
    server = await startServer?.()
    env = {
      SECRET: secret,
      TOKEN_SECRET: 'Yw0f9h2sX7kQm4Zt8vRb1nLc6dJg3pAe5uToWiKyHsM',
      ...(server && { [variable!]: server.url }),
    }
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  test('needs only the packages that the README installs', () => {
    const text = readFileSync(join(folder, files[0]!), 'utf8')
    const imported = [...text.matchAll(/ from '([^.'][^']*)'/g)].map(([, path]) => path!)
    expect(imported.filter((path) => !installs.includes(path))).toEqual([])
  })

  test.each(files)('%s runs', async (file) => {
    if (file.startsWith('tokens')) {
      const { stdout } = await promisify(execFile)('node', [file], {
        cwd: folder,
        env: { ...process.env, ...env },
      })
      return expect(stdout).toBe('ada\nREVOKED\n')
    }
    const port = await reservePort()
    using _ = { [Symbol.dispose]: port.release }
    await using site = await start(folder, { env: { ...env, PORT: `${port.number}` }, args: [file] })
    if (readFileSync(join(folder, file), 'utf8').includes('/sign-in')) {
      const who = () => site.ask('/').then(({ body }) => body)
      expect(await who()).toEqual({ user: null })
      expect((await site.ask('/sign-in', {})).status).toBeOneOf([302, 303])
      expect(await who()).toEqual({ user: 'ada' })
      expect((await site.ask('/sign-out', {})).status).toBeOneOf([302, 303])
      return expect(await who()).toEqual({ user: null })
    }
    for (const visits of [1, 2, 3])
      expect(await site.ask('/')).toEqual({ status: 200, body: `Visits: ${visits}` })
  })
})
