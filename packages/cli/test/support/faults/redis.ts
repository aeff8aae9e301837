import { type ProcessServer, redisProcess, startProxy } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { doctor, expectFound, expectHealthy } from '../doctor.ts'
import { newPlace, openStore, saveSessions } from '../places.ts'

/** Sets the configuration for the test. */
async function configure(client: Redis, settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    const [, before] = (await client.config('GET', name)) as [string, string]
    after(() => client.config('SET', name, before))
    await client.config('SET', name, value)
  }
}

async function replicaOf({ port }: ProcessServer): Promise<void> {
  const replica = await redisProcess({ args: ['--replicaof', '127.0.0.1', `${port}`] })
  after(() => replica.stop())
}

const infoOf = async (client: Redis, name: string): Promise<string | undefined> =>
  new RegExp(`^${name}:(.*?)\r$`, 'm').exec(await client.info())?.[1]

/** The faults of a Redis. */
export function declareRedis(): void {
  const start = () => redisProcess({ args: ['--appendonly', 'yes', '--enable-protected-configs', 'local'] })
  describeWith('doctor on Redis', start, (server) => {
    const place = () => {
      const { url, namespace } = newPlace('redis', server.url)
      return { store: ['--store', url], prefix: `${namespace}:` }
    }
    const connect = () => {
      const client = new Redis(server.url)
      after(() => client.disconnect())
      return client
    }

    test('says that a Redis is healthy which keeps a log and evicts nothing', async () => {
      const own = newPlace('redis', server.url)
      await saveSessions(openStore(own), 3)
      // Without a limit of its memory, Redis evicts nothing, whatever the policy is.
      await configure(connect(), { 'maxmemory-policy': 'allkeys-lru' })
      const { stdout } = await expectHealthy(['--store', server.url, '--prefix', `${own.namespace}:`])
      expect(stdout).toContain(`Redis at ${server.url}, prefix ${own.namespace}:`)
    })

    test.each([
      ['redis/evicts', { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' }],
      ['redis/no-persistence', { appendonly: 'no' }],
      ['redis/no-persistence', { appendonly: 'no', save: '3600 1' }],
      ['redis/appendfsync', { appendfsync: 'no' }],
      ['redis/open-to-all', { 'protected-mode': 'no' }],
    ])('finds %s with %j', async (id, settings) => {
      await configure(connect(), settings)
      await expectFound([id], place().store)
    })

    test('finds redis/save-fails', async () => {
      const client = connect()
      // Redis refuses while it still rewrites the log that an earlier test asked for.
      const save = () => vi.waitFor(() => client.bgsave(), 10_000)
      await configure(client, { dir: '/proc/self' })
      await save()
      await vi.waitFor(async () => expect(await infoOf(client, 'rdb_last_bgsave_status')).toBe('err'))
      await expectFound(['redis/save-fails'], place().store)
      await configure(client, { dir: server.folder })
      await save()
      await vi.waitFor(async () => expect(await infoOf(client, 'rdb_last_bgsave_status')).toBe('ok'))
    })

    test('finds redis/min-replicas', async () => {
      await replicaOf(server)
      await vi.waitFor(async () => expect(await infoOf(connect(), 'connected_slaves')).toBe('1'), 10_000)
      await expectFound(['redis/min-replicas'], place().store)
    })

    test('finds redis/replica', async () => {
      const client = connect()
      after(() => client.call('REPLICAOF', 'NO', 'ONE'))
      // Nobody listens on port 1, so that the replica keeps its data.
      await client.call('REPLICAOF', '127.0.0.1', '1')
      await expectFound(['redis/replica'], place().store)
    })

    test('finds redis/rights, and prints no password', async () => {
      const client = connect()
      const { prefix } = place()
      const password = 'the-password-of-the-store'
      after(() => client.call('ACL', 'DELUSER', 'app'))
      await client.call(
        'ACL',
        'SETUSER',
        'app',
        'on',
        `>${password}`,
        `~${prefix}*`,
        '+@all',
        '-evalsha',
        '-unlink',
      )
      const env = {
        SESSION_STORES_URL: server.url.replace('//', '//app@'),
        SESSION_STORES_PASSWORD: password,
      }
      const report = await expectFound(['redis/rights'], ['--prefix', prefix], env)
      expect(report.findings[0]!.message).toContain('unlink, evalsha')
      expect(JSON.stringify(report)).not.toContain(password)
    })

    test('skips what a user with the rights of the README may not ask', async () => {
      const client = connect()
      const { prefix } = place()
      after(() => client.call('ACL', 'DELUSER', 'sessions'))
      const rights =
        '+info +select +time +echo +mget +evalsha +eval +getrange +set +setrange +pexpire +pttl +unlink +scan +zadd ' +
        '+zscan +zcount +zscore +zrem +zremrangebyrank'
      await client.call('ACL', 'SETUSER', 'sessions', 'on', '>password', `~${prefix}*`, ...rights.split(' '))
      const env = { SESSION_STORES_URL: server.url.replace('//', '//sessions:password@') }
      const { code, report } = await doctor(['--prefix', prefix], env)
      expect(report.findings).toEqual([])
      expect(report.failures).toEqual([])
      expect(report.skipped.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['redis/rights', 'redis/appendfsync']),
      )
      expect(code).toBe(0)
    })

    test('finds legacy/connect-redis', async () => {
      const client = connect()
      const { store, prefix } = place()
      await client.set(`${prefix}id`, '{"cookie":{"originalMaxAge":null}}', 'EX', 60)
      const report = await expectFound(['legacy/connect-redis'], [...store, '--prefix', prefix])
      expect(report.findings[0]!.message).toContain(`keys ${prefix}*`)
    })

    test('finds store/slow', async () => {
      await using proxy = await startProxy(server)
      proxy.delay({ toClient: 150 })
      await expectFound(['store/slow'], ['--store', proxy.url])
    })

    test('finds store/clock, and takes the delay of the network for no fault of a clock', async () => {
      const shift = (seconds: number) =>
        `--import=data:text/javascript,const%20now=Date.now;Date.now=()=>now()+${seconds * 1000}`
      const report = await expectFound(['store/clock'], place().store, { NODE_OPTIONS: shift(-3) })
      expect(report.findings[0]!.message).toContain('3.0 s ahead of this machine')
      expect((await doctor(place().store, { NODE_OPTIONS: shift(0.5) })).report.findings).toEqual([])
    })

    test('--ignore leaves a finding out', async () => {
      await configure(connect(), { appendonly: 'no' })
      const { stdout } = await expectHealthy([...place().store, '--ignore', 'redis/no-persistence'])
      expect(stdout).toContain('ignored: redis/no-persistence')
    })
  })
}
