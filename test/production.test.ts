import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { redisServer, reservePort } from '@session-stores/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPackages, installPackages, run } from './support/build.ts'
import { makeFolder, writePages } from './support/pages.ts'
import { start } from './support/program.ts'

/** The programs of docs/production run as they stand. */

const { folder, remove } = makeFolder('production')
const pages = new Map(writePages('production', folder).map((page) => [page.name, page.folder]))
const SECRET = 'a secret of the test'

beforeAll(async () => {
  await buildPackages()
  installPackages(folder)
})
afterAll(remove)

/** Starts the server of a page on a port of its own. */
async function open(name: string, env: Record<string, string> = {}) {
  const port = await reservePort()
  port.release()
  return start(pages.get(name)!, { env: { SECRET, PORT: `${port.number}`, ...env } })
}

test('behind a proxy that terminates TLS, the cookie is Secure', async () => {
  await using server = await open('proxies-and-cookies', { NODE_ENV: 'production' })
  const https = { 'X-Forwarded-Proto': 'https' }
  expect((await server.ask('/')).body).toEqual({ visits: 1, secure: false })
  expect(server.cookie).toBe('')
  expect((await server.ask('/', undefined, https)).body).toEqual({ visits: 1, secure: true })
  expect(server.cookie).toMatch(/^__Host-sid=/)
  expect((await server.ask('/', undefined, https)).body).toEqual({ visits: 2, secure: true })
})

test('the server is live and ready, and ends with the requests that it has', async () => {
  const cwd = pages.get('shutdown-and-health')!
  const port = await reservePort()
  port.release()
  const env = { ...process.env, SECRET, PORT: `${port.number}` }
  const child = spawn('node', ['server.mjs'], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  const printed = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      said += chunk
      if (said.includes('http://')) resolve()
    })
  })
  await printed
  const ask = (path: string) => fetch(`http://localhost:${port.number}${path}`)
  for (const path of ['/live', '/ready', '/']) expect((await ask(path)).status).toBe(200)
  expect((await ask('/ready')).headers.getSetCookie()).toEqual([])
  child.kill('SIGTERM')
  expect((await once(child, 'exit'))[0]).toBe(0)
  expect(said).toMatch(/closed\n$/)
})

test('the program for Docker Compose keeps its sessions in Redis', async () => {
  await using redis = await redisServer()
  let cookie = ''
  for (const visits of [1, 2]) {
    await using server = await open('docker-compose', { REDIS_URL: redis.url })
    expect((await server.ask('/', undefined, { cookie })).body).toBe(`Visits: ${visits}`)
    expect((await server.ask('/ready')).status).toBe(200)
    cookie ||= server.cookie
  }
})

test('the program about events prints the calls', async () => {
  const printed = await run(pages.get('metrics-and-capacity')!, 'node', 'events.mjs')
  expect(printed).toMatch(/^sqlite read: 1 in [\d.]+ ms/m)
})
