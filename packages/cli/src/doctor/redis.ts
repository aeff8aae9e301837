import type { Redis } from 'ioredis'
import { Failure } from '../failure.ts'
import { loadPackages } from '../store/packages.ts'
import type { Target } from '../store/target.ts'
import type { Examination, Inspected } from './examination.ts'
import { findConnectRedis } from './legacy.ts'

/** The sections of INFO as one map. */
type Info = ReadonlyMap<string, string>

/** Checks the settings of a Redis. @throws Failure where it cannot be reached. */
export async function inspectRedis(target: Target, exam: Examination): Promise<Inspected> {
  const client = await connect(target)
  const info = readInfo(await client.info())
  checkMemory(exam, info)
  checkPersistence(exam, info)
  checkReplication(exam, info)
  await checkConfiguration(exam, info, client)
  await checkRights(exam, client, target)
  await findConnectRedis(client, target, exam)
  const valkey = info.get('valkey_version')
  return {
    version: valkey ? `Valkey ${valkey}` : `Redis ${info.get('redis_version')}`,
    async ping() {
      const [seconds, microseconds] = await client.time()
      return Number(seconds) * 1000 + Number(microseconds) / 1000
    },
    hasRows: true,
    close: async () => client.disconnect(),
  }
}

async function connect({ url, timeout }: Target): Promise<Redis> {
  const { Redis } = await loadPackages('redis')
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeout,
    commandTimeout: timeout,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  })
  let reason: Error | undefined
  client.on('error', (error) => {
    reason = error
  })
  try {
    await client.connect()
    return client
  } catch (error) {
    client.disconnect()
    // The error of the call only says that the connection is closed.
    throw new Failure(`Redis cannot be reached: ${(reason ?? (error as Error)).message}`)
  }
}

function readInfo(text: string): Info {
  const lines = text.split('\r\n').map((line) => line.split(/:(.*)/s) as [string, string])
  return new Map(lines)
}

function checkMemory(exam: Examination, info: Info): void {
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  exam.check(
    'redis/evicts',
    info.get('maxmemory') !== '0' && policy !== 'noeviction',
    'error',
    `Redis removes sessions when its memory is short (maxmemory-policy ${policy}), which logs users out.`,
    'Set maxmemory-policy noeviction. Where others need eviction, keep sessions in a Redis of their own.',
  )
}

function checkPersistence(exam: Examination, info: Info): void {
  const failed = ['rdb_last_bgsave_status', 'aof_last_write_status', 'aof_last_bgrewrite_status'].filter(
    (name) => info.get(name) === 'err',
  )
  exam.check(
    'redis/save-fails',
    failed.length > 0,
    'error',
    `Redis could not write its data to the disk (${failed.join(', ')} is err).`,
    "Read the log of Redis for the reason: usually the disk is full, or the folder is not the server's.",
  )
}

function checkReplication(exam: Examination, info: Info): void {
  exam.check(
    'redis/replica',
    info.get('role') === 'slave',
    'error',
    'This server is a replica, which takes no writes and lags behind.',
    'Give the store the address of the primary, or a client that asks Sentinel for it.',
  )
}

const CONFIGURED = ['redis/no-persistence', 'redis/appendfsync', 'redis/min-replicas', 'redis/open-to-all']

async function checkConfiguration(exam: Examination, info: Info, client: Redis): Promise<void> {
  let config: ReadonlyMap<string, string>
  try {
    config = await readConfig(client)
  } catch (error) {
    return exam.skip(CONFIGURED, `CONFIG GET is refused: ${(error as Error).message}`)
  }
  const hasLog = info.get('aof_enabled') === '1'
  const snapshots = config.get('save') ?? ''
  exam.check(
    'redis/no-persistence',
    !hasLog,
    'warning',
    snapshots === ''
      ? 'Redis keeps nothing on the disk (no appendonly, no save): a restart logs every user out.'
      : `Redis writes snapshots only (save ${snapshots}): a crash loses the last minutes, also logouts.`,
    'Set appendonly yes.',
  )
  exam.check(
    'redis/appendfsync',
    hasLog && config.get('appendfsync') === 'no',
    'warning',
    'Redis leaves it to the system when its log reaches the disk (appendfsync no): a crash loses half a minute.',
    'Set appendfsync everysec.',
  )
  const replicas = Number(info.get('connected_slaves') ?? 0)
  exam.check(
    'redis/min-replicas',
    replicas > 0 && config.get('min-replicas-to-write') === '0',
    'warning',
    `Redis has ${replicas} replicas and acknowledges writes that none of them has: a failover may undo a logout.`,
    'Set min-replicas-to-write 1 and min-replicas-max-lag 10, so that it stops when it is cut off.',
  )
  exam.check(
    'redis/open-to-all',
    config.get('requirepass') === '' && config.get('protected-mode') === 'no' && !client.options.username,
    'error',
    'Redis asks for no password and is not in protected mode: whoever reaches its port reads every session.',
    'Set a password for the user (ACL SETUSER, or requirepass), and protected-mode yes.',
  )
}

async function readConfig(client: Redis): Promise<Map<string, string>> {
  const names = ['save', 'appendfsync', 'min-replicas-to-write', 'requirepass', 'protected-mode']
  const answers = await Promise.all(names.map((name) => client.config('GET', name)))
  return new Map(answers.map((answer) => answer as [string, string]))
}

/** What the store sends, with arguments of the right number. The README of the store lists it, too. */
const COMMANDS: readonly (readonly string[])[] = [
  ...[['time'], ['echo', ''], ['scan', '0'], ['info']],
  ...[
    ['mget', '*'],
    ['set', '*', ''],
    ['unlink', '*'],
    ['getrange', '*', '0', '0'],
    ['setrange', '*', '0', ''],
  ],
  ...[
    ['pexpire', '*', '1'],
    ['pttl', '*'],
    ['eval', '', '1', '*'],
    ['evalsha', '', '1', '*'],
  ],
  ...[
    ['zadd', '*', '0', ''],
    ['zscan', '*', '0'],
    ['zrem', '*', ''],
    ['zcount', '*', '0', '0'],
    ['zscore', '*', ''],
  ],
]

async function checkRights(exam: Examination, client: Redis, { prefix }: Target): Promise<void> {
  const key = `${prefix}${'0'.repeat(43)}`
  const refused: string[] = []
  try {
    const user = String(await client.call('ACL', 'WHOAMI'))
    for (const command of COMMANDS) {
      const words = command.map((word) => (word === '*' ? key : word))
      if ((await client.call('ACL', 'DRYRUN', user, ...words)) !== 'OK') refused.push(words[0]!)
    }
  } catch (error) {
    return exam.skip(['redis/rights'], `ACL DRYRUN is refused: ${(error as Error).message}`)
  }
  exam.check(
    'redis/rights',
    refused.length > 0,
    'error',
    `The user of Redis lacks rights that the store needs: ${refused.join(', ')}.`,
    `Grant them with ACL SETUSER … ~${prefix}* ${refused.map((name) => `+${name}`).join(' ')}`,
  )
}
