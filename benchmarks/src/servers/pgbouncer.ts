import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { PostgresServer } from './postgres.ts'
import type { BenchServer } from './server.ts'

/** PgBouncer in transaction mode before a PostgreSQL; that one's statements are counted. */
export async function startPgbouncer(postgres: PostgresServer): Promise<BenchServer> {
  const version = versionOfBinary()
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'benchmark-pgbouncer-'))
  chmodSync(folder, 0o755)
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]
* = host=127.0.0.1 port=${postgres.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
ignore_startup_parameters = extra_float_digits
`,
  )
  const asUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const child = spawn('pgbouncer', ['-q', file], { stdio: 'ignore', ...asUser })
  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`
  try {
    await answers(url('postgres'), child)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return {
    info: {
      name: 'pgbouncer',
      version,
      settings: { pool_mode: 'transaction', default_pool_size: '20', server: postgres.info.version },
    },
    async empty(name) {
      const database = `${name}-pgbouncer`
      await postgres.empty(database)
      return [url(database)]
    },
    counts: () => postgres.counts(),
    stored: (of) => postgres.stored(of),
    pids: () => [child.pid!, ...postgres.pids()],
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

function versionOfBinary(): string {
  try {
    return execFileSync('pgbouncer', ['--version'], { encoding: 'utf8' }).split('\n')[0]!.toLowerCase()
  } catch (error) {
    throw new Error(`no PgBouncer: ${(error as Error).message}`)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** Waits until a statement goes through. */
async function answers(url: string, child: ChildProcess): Promise<void> {
  for (const deadline = performance.now() + 10_000; ; await pause(20)) {
    const client = new pg.Client(url)
    try {
      await client.connect()
      await client.query('SELECT 1')
      return
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`PgBouncer ended with ${child.exitCode}`)
      if (performance.now() > deadline) throw error
    } finally {
      await client.end()
    }
  }
}
