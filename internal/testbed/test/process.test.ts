import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import { startProcess } from '../src/process.ts'
import { redis, redisBinary, redisProcess } from '../src/redis.ts'
import type { Kind } from '../src/server.ts'
import { describeWith } from '../src/vitest.ts'

async function withClient<T>(url: string, act: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { commandTimeout: 200 })
  try {
    return await act(client)
  } finally {
    client.disconnect()
  }
}

const durable = ['--appendonly', 'yes', '--appendfsync', 'always']

describeWith(
  'a server',
  () => redisProcess({ args: durable, password: 'p@ss/w:rd' }),
  (server) => {
    test('accepts arguments and a password, which its URL contains', async () => {
      await withClient(server.url, async (client) => {
        expect(await client.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always'])
      })
      const { host } = new URL(server.url)
      await expect(redis.identify(`redis://${host}`)).rejects.toThrow(/NOAUTH/)
    })

    test('keeps its connections and answers nothing while paused, and answers after resuming', async () => {
      await withClient(server.url, async (client) => {
        await client.ping()
        server.pause()
        await expect(client.ping()).rejects.toThrow(/timed out/)
        server.resume()
        await vi.waitFor(async () => expect(await client.ping()).toBe('PONG'))
      })
    })

    test('keeps its port and its data after a kill and a restart', async () => {
      const before = server.pid
      await withClient(server.url, (client) => client.set('kept', 'yes'))
      await server.kill()
      expect(server.pid).toBeUndefined()
      await expect(redis.identify(server.url)).rejects.toThrow()
      await server.start()
      expect(server.pid).not.toBe(before)
      expect(await withClient(server.url, (client) => client.get('kept'))).toBe('yes')
    })

    test('a port that another server takes first is replaced by another port', async () => {
      await using other = await redisProcess()
      let tries = 0
      const unlucky: Kind = {
        ...redis,
        url: (port) => redis.url(++tries === 1 ? other.port : port),
        args: (port, folder) => redis.args(tries === 1 ? other.port : port, folder),
      }
      await using second = await startProcess(unlucky, await redisBinary())
      expect(tries).toBe(2)
      expect(second.url).not.toBe(other.url)
    })

    test('the error of a server that cannot start contains its log', async () => {
      await expect(redisProcess({ args: ['--no-such-option', 'yes'] })).rejects.toThrow(/no-such-option/)
    })

    test('a stopped server leaves no folder, even if it was paused', async () => {
      const other = await redisProcess()
      expect(existsSync(other.folder)).toBe(true)
      other.pause()
      await other.stop()
      expect(existsSync(other.folder)).toBe(false)
      await expect(redis.identify(other.url)).rejects.toThrow()
    })

    describe('an interrupted run leaves no server and no folder', () => {
      test.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'process.exit'] as const)('by %s', async (end) => {
        const holder = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/holder.ts')], {
          stdio: ['pipe', 'pipe', 'inherit'],
        })
        const [line] = await once(createInterface({ input: holder.stdout }), 'line')
        const { url, folder } = JSON.parse(line)
        await redis.identify(url)
        expect(existsSync(folder)).toBe(true)

        if (end === 'process.exit') holder.stdin.write('\n')
        else holder.kill(end)
        await once(holder, 'exit')
        await vi.waitFor(() => expect(existsSync(folder)).toBe(false), 10_000)
        await expect(redis.identify(url)).rejects.toThrow()
      })
    })
  },
)
