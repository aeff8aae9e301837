/**
 * Measures some cells of the newest run again, without the harness, and prints both figures. Stores
 * are measured by a loop of a few lines, and the bare servers by `redis-benchmark` and `pgbench`.
 *
 *     node benchmarks/independent/confirm.ts
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgresProcess, redisProcess } from '@session-stores/testbed'
import type { Request } from 'express'
import session, { type SessionData, type Store } from 'express-session'
import pg from 'pg'

const [SESSIONS, AT_ONCE, ROUNDS, SECONDS] = [10_000, 256, 5, 1]
const ids = Array.from({ length: SESSIONS }, (_, index) => `confirm-${index}-`.padEnd(32, 'x'))
const folder = mkdtempSync(join(tmpdir(), 'confirm-'))

function sessionOf(id: string): SessionData {
  const cookie = { originalMaxAge: 3_600_000, expires: new Date(Date.now() + 3_600_000), path: '/' }
  return { cookie, marker: id, note: '.'.repeat(40) } as unknown as SessionData
}

type Done = (error?: unknown) => void

/** The session objects that the store returned, as express-session would hold them. */
const sessions = new Map<string, session.Session & SessionData>()

function read(
  store: Store,
  id: string,
  done: (error: unknown, session?: session.Session & SessionData) => void,
) {
  store.get(id, (error, data) => {
    if ((data as { marker?: string } | null)?.marker !== id) return done(error ?? new Error(id))
    done(null, store.createSession({ sessionID: id, sessionStore: store } as unknown as Request, data!))
  })
}

const get = (store: Store, id: string, done: Done): void => read(store, id, (error) => done(error))

function touch(store: Store, id: string, done: Done): void {
  const session = sessions.get(id)!
  session.touch()
  store.touch!(id, session, done)
}

/**
 * Returns operations per second: the median of some rounds. Each operation begins in its own turn
 * of the event loop, as a request does.
 */
async function rate(store: Store, operation: typeof get): Promise<number> {
  for (const id of ids) {
    const found = await new Promise<session.Session & SessionData>((resolve, reject) => {
      store.set(id, sessionOf(id), (failure) =>
        failure
          ? reject(failure)
          : read(store, id, (error, session) => (session ? resolve(session) : reject(error))),
      )
    })
    sessions.set(id, found)
  }
  const rates: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    let count = 0
    const begin = performance.now()
    const lane = (first: number) =>
      new Promise<void>((resolve, reject) => {
        let at = first
        const next = (): void => {
          if (performance.now() - begin > SECONDS * 1000) return resolve()
          operation(store, ids[at]!, (error) => {
            if (error) return reject(error)
            count++
            at = (at + AT_ONCE) % SESSIONS
            setImmediate(next)
          })
        }
        next()
      })
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => lane(index)))
    // The first round is the warm-up.
    if (round > 0) rates.push((1000 * count) / (performance.now() - begin))
  }
  return rates.sort((a, b) => a - b)[ROUNDS >> 1]!
}

/** Returns the range of the rounds in the newest run, without the lowest and the highest. */
function ofRun(subject: string, operation: string): [low: number, high: number] {
  const results = join(import.meta.dirname, '../results')
  const run = JSON.parse(
    readFileSync(join(results, globSync('*.json', { cwd: results }).sort().at(-1)!), 'utf8'),
  )
  const cell = run.cells.find(
    (one: { subject: string; scenario: string; operation: string; parameters: { concurrency: number } }) =>
      [one.subject, one.scenario, one.operation, one.parameters.concurrency].join() ===
      [subject, operation, operation, AT_ONCE].join(),
  )
  const rates: number[] = cell.rounds.map(({ opsPerSecond }: { opsPerSecond: number }) => opsPerSecond)
  rates.sort((a, b) => a - b)
  return [rates[1]!, rates.at(-2)!]
}

const text = (value: number): string => Math.round(value).toLocaleString('en')
function say(what: string, measured: number, [low, high]: [number, number]): void {
  const off = measured < low ? measured / low : measured > high ? measured / high : 1
  const verdict = off === 1 ? 'within' : `${off.toFixed(2)} of the nearer end`
  console.log(`${what}: ${text(measured)} a second; the run: ${text(low)} to ${text(high)}; ${verdict}`)
}

const redis = await redisProcess()
const postgres = await postgresProcess({ args: ['-c', 'shared_buffers=2GB'] })
try {
  const { RedisStore } = await import('@session-stores/redis')
  const ours = new RedisStore({ url: redis.url })
  say('RedisStore, lookup', await rate(ours, get), ofRun('ours-redis', 'lookup'))
  await ours.close()

  const { RedisStore: ConnectRedis } = await import('connect-redis')
  const { createClient } = await import('redis')
  const client = await createClient({ url: redis.url }).connect()
  say(
    'connect-redis, lookup',
    await rate(new ConnectRedis({ client }), get),
    ofRun('connect-redis', 'lookup'),
  )
  await client.close()

  const { default: connectPgSimple } = await import('connect-pg-simple')
  const peer = new (connectPgSimple(session))({ conString: postgres.url, createTableIfMissing: true })
  say('connect-pg-simple, lookup', await rate(peer, get), ofRun('connect-pg-simple', 'lookup'))
  await (peer as unknown as { close(): Promise<void> }).close()

  const { SqliteStore } = await import('@session-stores/sqlite')
  const sqlite = new SqliteStore({ path: join(folder, 'sessions.db') })
  say('SqliteStore, touch', await rate(sqlite, touch), ofRun('ours-sqlite', 'touch'))
  await sqlite.close()

  const port = new URL(redis.url).port
  const answer = execFileSync('redis-benchmark', [
    '-p',
    port,
    '-t',
    'get',
    '-n',
    '300000',
    '-c',
    '1',
    '-P',
    '256',
    '--csv',
  ])
  const bare = Number(/^"GET","([\d.]+)"/m.exec(String(answer))![1])
  console.log(`Redis alone, GET by 256 (redis-benchmark): ${text(bare)} a second, which no store can exceed`)

  const admin = new pg.Client(postgres.url)
  await admin.connect()
  await admin.query(`CREATE TABLE floor (id int PRIMARY KEY, data text, deadline bigint);
    INSERT INTO floor SELECT i, repeat('.', 200), 9e15 FROM generate_series(1, ${SESSIONS}) AS i`)
  await admin.end()
  const script = join(folder, 'lookup.sql')
  writeFileSync(
    script,
    `\\set id random(1, ${SESSIONS})\nSELECT data FROM floor WHERE id = :id AND deadline > 1700000000000;\n`,
  )
  const { hostname, port: at } = new URL(postgres.url)
  const connection = ['-h', hostname, '-p', at, '-U', 'postgres', 'postgres']
  const said = execFileSync('pgbench', [
    '-n',
    '-M',
    'prepared',
    '-f',
    script,
    '-c',
    '10',
    '-T',
    '5',
    ...connection,
  ])
  const tps = Number(/^tps = ([\d.]+)/m.exec(String(said))![1])
  say(
    'PostgreSQL alone, ten connections (pgbench), beside the bare pg',
    tps,
    ofRun('floor-postgres', 'lookup'),
  )
} finally {
  await Promise.all([redis.stop(), postgres.stop()])
  rmSync(folder, { recursive: true, force: true })
}
