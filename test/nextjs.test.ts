import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPackages, installPackages, run } from './support/build.ts'
import { type Page, writePages } from './support/pages.ts'
import { start } from './support/program.ts'

/** The recipe for Next.js runs as it stands, built for production. Next.js is installed by npm. */

const temporary = mkdtempSync(join(tmpdir(), 'nextjs-'))
let page: Page
process.env.NEXT_TELEMETRY_DISABLED = '1'

beforeAll(async () => {
  await buildPackages()
  page = writePages('recipes', temporary).find(({ name }) => name === 'nextjs')!
  const others = ['better-sqlite3@13', 'express@5', 'express-session@1', 'jose@6', 'on-headers@1']
  const dependencies = [...others, 'next@16', 'react@19', 'react-dom@19']
  writeFileSync(join(page.folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  await run(page.folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', ...dependencies)
  installPackages(page.folder)
}, 240_000)
afterAll(() => rmSync(temporary, { recursive: true, force: true, maxRetries: 5 }))

test('pages of Next.js have the session of the request', { timeout: 240_000 }, async () => {
  await run(page.folder, 'npx', 'next', 'build')
  await using server = await start(page.folder, { env: { NODE_ENV: 'production' } })
  // As a proxy that terminates TLS sends it.
  const https = { 'X-Forwarded-Proto': 'https' }
  const home = async () => (await server.ask('/', undefined, https)).body
  expect(await home()).toContain('Sign in')
  const form = { name: 'ada', password: 'correct horse' }
  expect((await server.ask('/sign-in', form, https)).status).toBe(303)
  expect(await home()).toMatch(/Signed in as (<!-- -->)?ada/)
  const [script] = /\/_next\/static\/[^"]+\.js/.exec(String(await home()))!
  expect((await server.ask(script)).status).toBe(200)
  expect((await server.ask('/sign-out', {}, https)).status).toBe(303)
  expect(await home()).toContain('Sign in')
})
