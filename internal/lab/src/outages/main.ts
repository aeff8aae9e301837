/**
 * Tests outages under load: a database is killed, hangs, refuses connections, or is replaced by
 * another server for 1, 12 and 60 seconds, while an application makes 2,000 calls per second.
 *
 *     npx -y pnpm@12 outages --help
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type FaultyProxy,
  mongoProcess,
  type ProcessServer,
  processesOf,
  sendSignal,
  startProxy,
} from '@session-stores/testbed'
import { type ServerDatabaseId, serverDatabaseIds } from '@session-stores/testbed/databases'
import { listOption, makeCommand } from '../command.ts'
import { startServer, toDirectUrl } from '../servers.ts'
import { openStore } from '../store.ts'
import { OPERATION_TIMEOUT, type Order, type Report, type Verb } from './protocol.ts'

const KINDS = ['killed', 'hung', 'refused', 'replaced'] as const
type Kind = (typeof KINDS)[number]
/** The lengths of outages, in seconds. */
const LENGTHS = ['1', '12', '60']

/** How long the application runs before and after the outage, in milliseconds. */
const BEFORE = 3000
const AFTER = OPERATION_TIMEOUT + 4000
/** The promised time from the server's return to the first successful calls, in milliseconds. */
const PROMISED = 2000
/** The maximum number of connection attempts per second while the server is down. */
const ATTEMPTS = 8

const options = makeCommand('outages', 'Takes a server away from an application under load.')
  .addOption(
    listOption('--database <id...>', 'a database', serverDatabaseIds).default(serverDatabaseIds, 'all'),
  )
  .addOption(listOption('--kind <kind...>', 'what happens to the server', KINDS).default(KINDS, 'all'))
  .addOption(listOption('--seconds <length...>', 'how long it is away', LENGTHS).default(LENGTHS, 'all'))
  .parse()
  .opts<{ database: ServerDatabaseId[]; kind: Kind[]; seconds: string[] }>()

let isBroken = false

/** Starts the outage. Returns a function that ends it. */
async function beginOutage(
  database: ServerDatabaseId,
  kind: Kind,
  server: ProcessServer,
  proxy: FaultyProxy,
): Promise<{ end(): Promise<void>; stop(): Promise<void> }> {
  const none = async (): Promise<void> => {}
  switch (kind) {
    case 'killed':
      await server.kill()
      // While no server is running, nothing may listen.
      proxy.refuse()
      proxy.cut()
      return {
        async end() {
          await server.start()
          proxy.accept()
        },
        stop: none,
      }
    case 'hung': {
      const pids = processesOf(server.pid!)
      sendSignal(pids, 'SIGSTOP')
      return {
        async end() {
          sendSignal(pids, 'SIGCONT')
        },
        stop: none,
      }
    }
    case 'refused':
      proxy.refuse()
      proxy.cut()
      return { end: async () => proxy.accept(), stop: none }
    case 'replaced': {
      const another = database === 'mongodb' ? await mongoProcess() : await startServer(database)
      proxy.refuse()
      proxy.cut()
      return {
        async end() {
          proxy.redirect(another)
          proxy.accept()
        },
        stop: () => another.stop(),
      }
    }
  }
}

/** Waits until a write succeeds. After a restart, MongoDB first elects a primary. */
async function waitForService(database: ServerDatabaseId, url: string): Promise<void> {
  for (;;) {
    const store = await openStore(database, url, { operationTimeout: 500, pruneInterval: false })
    const works = await store.set('probe', { cookie: { originalMaxAge: null } } as never).then(
      () => true,
      () => false,
    )
    await store.close().catch(() => {})
    if (works) return
    await pause(20)
  }
}

/** Returns the next message of the worker. Rejects if the worker ends before. */
async function messageOf<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the worker ended with ${code}`)
  })
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T]
  return message
}

async function strike(database: ServerDatabaseId, kind: Kind, seconds: number): Promise<void> {
  const server = await startServer(database)
  const proxy = await startProxy(server)
  const child = fork(
    new URL('./worker.ts', import.meta.url),
    [database, proxy.through(toDirectUrl(database, server))],
    {
      execArgv: ['--expose-gc'],
    },
  )
  const tell = (order: Order): unknown => child.send(order)
  await messageOf(child)
  tell({ do: 'load' })
  await messageOf(child)
  await pause(BEFORE)

  const outage = await beginOutage(database, kind, server, proxy)
  const began = Date.now()
  const before = proxy.accepted
  await pause(seconds * 1000)
  const attempts = (proxy.accepted - before) / seconds
  await outage.end()
  // A replacement has been running all the time, so there is nothing to wait for.
  if (kind !== 'replaced') await waitForService(database, toDirectUrl(database, server))
  const back = Date.now()
  tell({ do: 'watch', since: back })
  await pause(AFTER)
  tell({ do: 'end' })
  const report = await messageOf<Report>(child)

  const verbs: Verb[] = ['lookup', 'touch', 'save', 'create']
  const service = Math.max(...verbs.map((verb) => (report.served[verb] ?? Number.POSITIVE_INFINITY) - back))
  // A late write began after the outage and failed so early that it must not have landed
  // afterwards.
  const present = new Set(report.present)
  const late = report.failures.filter(
    ({ id, begin, end }) => present.has(id) && begin > began && end + OPERATION_TIMEOUT < back,
  ).length
  const during = report.memory.filter(({ at }) => at > began + 500 && at < back)
  const quiet = report.memory.filter(({ at }) => at <= began)
  const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20)
  const heaps = during.map(({ heap }) => heap)
  // The waiting calls take their memory at once. After that, memory must not grow.
  const half = heaps.slice(Math.floor(heaps.length / 2))
  const growth = half.length > 2 ? mebibytes(half.at(-1)! - half[0]!) : 0
  const isWrong =
    !(service <= PROMISED) ||
    late > 0 ||
    attempts > ATTEMPTS ||
    growth > 8 ||
    report.over > 0 ||
    report.calls === 0
  isBroken ||= isWrong
  console.log(
    JSON.stringify({
      database,
      kind,
      seconds,
      service,
      late,
      attempts: Math.round(attempts * 10) / 10,
      heap: {
        before: mebibytes(Math.max(...quiet.map(({ heap }) => heap), 0)),
        most: mebibytes(Math.max(...heaps, 0)),
        growth,
      },
      calls: report.calls,
      rate: Math.round(report.calls / ((Date.now() - began + BEFORE) / 1000)),
      failed: report.failed,
      codes: report.codes,
      longest: Math.round(report.longest),
      over: report.over,
      ...(isWrong && { wrong: true }),
    }),
  )
  await proxy.stop()
  await outage.stop()
  await server.stop()
}

for (const database of options.database)
  for (const kind of options.kind)
    for (const seconds of options.seconds) await strike(database, kind, Number(seconds))
// Node 24 may wait forever for the handles of killed servers.
process.exit(isBroken ? 1 : 0)
