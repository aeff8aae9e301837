import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reservePort, type TestServer } from '@session-stores/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPackages, published, run, runPnpm } from './support/build.ts'
import { databaseServers } from './support/database-servers.ts'
import { start } from './support/program.ts'
import { writeQuickStarts } from './support/quick-starts.ts'

/** Follows the README of each store in an empty project, from the packed packages to a server that runs. */

const root = join(import.meta.dirname, '..')
const temporary = mkdtempSync(join(tmpdir(), 'first-hour-'))
const starts = writeQuickStarts(join(temporary, 'programs'))

/** Returns the packed package of a name, as `npm install` takes it. */
function tarball(name: string): string {
  const { version } = published.find((each) => each.name === name)!
  return join(temporary, `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`)
}

beforeAll(async () => {
  await buildPackages()
  await runPnpm(root, '--recursive', '--filter', './packages/*', 'pack', '--pack-destination', temporary)
})
afterAll(() => rmSync(temporary, { recursive: true, force: true, maxRetries: 5 }))

const stores = {
  ...databaseServers,
  sqlite: ['', undefined],
} as const

describe.each(Object.entries(stores))('the README of %s', (store, [variable, startServer]) => {
  const { folder, installs } = starts.find(({ name }) => name === store)!
  let server: TestServer | undefined
  beforeAll(async () => {
    server = await startServer?.()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  test.each([
    ['module', 'server.mjs', 'index.js'],
    ['commonjs', 'server.cjs', 'index.js'],
    ['commonjs', 'server.mjs', 'server.mjs'],
  ])('leads to a server in a project of type %s, with the program %s as %s', async (type, program, file) => {
    const project = join(temporary, `${store}-${type}-${file}`)
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'app', version: '1.0.0', type }))
    // What the README installs, with the packed packages in place of those of the registry.
    const packages = installs.map((name) => (name.startsWith('@session-stores/') ? tarball(name) : name))
    const added = [...packages, tarball('@session-stores/core')]
    await run(project, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', ...added)
    writeFileSync(join(project, file), readFileSync(join(folder, program)))
    const port = await reservePort()
    port.release()
    const secret = await run(project, 'node', '-p', "crypto.randomBytes(32).toString('base64url')")
    const env = { SECRET: secret.trim(), PORT: `${port.number}`, ...(server && { [variable]: server.url }) }
    let cookie = ''
    // The session outlives the process.
    for (const visits of [1, 2]) {
      await using site = await start(project, { env, args: [file] })
      const answer = await site.ask('/', undefined, { cookie })
      expect(answer).toEqual({ status: 200, body: `Visits: ${visits}` })
      cookie ||= site.cookie
    }
  })
})
