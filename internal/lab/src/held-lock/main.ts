/**
 * Measures how a process behaves while another process holds the write lock of its SQLite database,
 * as a backup or a long transaction does:
 *
 *     node internal/lab/src/held-lock/main.ts [seconds]
 *
 * The other process requests a health check every few milliseconds and reports how long each one
 * took.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SqliteStore } from '@session-stores/sqlite'
import Database from 'better-sqlite3'

/** The number of concurrent saves and touches. */
const CALLS = 256

async function holdLock(path: string, port: number, seconds: number): Promise<void> {
  const database = new Database(path)
  database.exec('BEGIN IMMEDIATE')
  process.send!('held')
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    const begin = performance.now()
    const [response] = await once(get({ port, agent: false }), 'response')
    response.resume()
    await once(response, 'end')
    times.push(performance.now() - begin)
    await pause(5)
  }
  database.exec('COMMIT')
  process.send!(times)
  process.disconnect()
}

/**
 * Counts the milliseconds in SQLite statements, which block the process. Returns a function that
 * reads the total.
 */
function countTimeInSqlite(): () => number {
  const database = new Database(':memory:')
  const prototype = Object.getPrototypeOf(database.prepare('SELECT 1'))
  database.close()
  let total = 0
  for (const method of ['run', 'get', 'all']) {
    const original = prototype[method]
    prototype[method] = function (this: unknown, ...values: unknown[]) {
      const begin = performance.now()
      try {
        return original.apply(this, values)
      } finally {
        total += performance.now() - begin
      }
    }
  }
  return () => total
}

async function measure(seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'held-lock-'))
  const path = join(folder, 'sessions.db')
  const store = new SqliteStore({ path, pruneInterval: false })
  const cookie = { originalMaxAge: 3_600_000, path: '/' }
  const ids = Array.from({ length: CALLS }, (_, i) => `id-${i}`)
  await Promise.all(ids.map((id) => store.set(id, { cookie, id } as never)))
  const server = createServer((_, response) => response.end('ok')).listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const holder = fork(import.meta.filename, [String(seconds), path, String(port)])
  await once(holder, 'message')

  const inSqlite = countTimeInSqlite()
  const loop = performance.eventLoopUtilization()
  const cpu = process.cpuUsage()
  const begin = performance.now()
  let [ticks, ended, failed, isHeld] = [0, 0, 0, true]
  const ticker = setInterval(() => ticks++, 1)
  const clients = ids.map(async (id, i) => {
    const session = (await store.get(id))!
    while (isHeld) {
      const call = i % 2 ? store.set(id, session) : store.touch(id, session)
      await call.catch(() => failed++)
      ended++
    }
  })
  const [times] = (await once(holder, 'message')) as [number[]]
  const elapsed = performance.now() - begin
  const blocked = inSqlite()
  const { utilization } = performance.eventLoopUtilization(loop)
  const { user, system } = process.cpuUsage(cpu)
  clearInterval(ticker)
  isHeld = false
  await Promise.all(clients)

  times.sort((a, b) => a - b)
  const at = (share: number) => `${times[Math.floor(share * (times.length - 1))]!.toFixed(1)} ms`
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`
  console.log(`the lock was held for ${Math.round(elapsed)} ms, while ${CALLS} calls at once waited for it`)
  console.log(`in statements of SQLite: ${percent(blocked / elapsed)} of the time`)
  console.log(
    `event loop busy: ${percent(utilization)}; processor: ${percent((user + system) / 1000 / elapsed)}`,
  )
  console.log(`ticks of a timer of 1 ms: ${ticks}`)
  console.log(`health checks: ${times.length}, median ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`)
  console.log(`calls: ${ended} ended, ${failed} of them with an error; ${await store.length()} sessions`)
  await store.close()
  server.close()
  rmSync(folder, { recursive: true })
}

const [seconds = '6', path, port] = process.argv.slice(2)
if (path === undefined) await measure(Number(seconds))
else await holdLock(path, Number(port), Number(seconds))
