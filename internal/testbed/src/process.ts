import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tellGuard } from './guard.ts'
import { type Port, reservePort } from './port.ts'
import type { ProcessKind, ProcessServer } from './server.ts'
import { until } from './until.ts'
import type { User } from './user.ts'

export interface Binary {
  readonly path: string
  readonly source: 'path' | 'fetched'
}

/** The server ended before it answered. The message contains the end of the server's log. */
class StartError extends Error {
  readonly portTaken: boolean
  /** The children of a killed PostgreSQL live on for a moment and keep its shared memory. */
  readonly childrenLive: boolean

  constructor(kind: ProcessKind, log: string) {
    super(`${kind.name} ended before it answered:\n${log.trimEnd().split('\n').slice(-10).join('\n')}`)
    this.portTaken = /address already in use/i.test(log)
    this.childrenLive = /pre-existing shared memory block/.test(log)
  }
}

/**
 * Returns whether all threads of the process are stopped. Only Linux can tell; elsewhere the
 * function assumes so.
 */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`
  if (!existsSync(tasks)) return true
  try {
    // The state follows the name of the thread, which is in parentheses.
    return readdirSync(tasks).every((task) =>
      /\) [TtZX] /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8')),
    )
  } catch {
    // A thread ended while its state was read.
    return false
  }
}

/**
 * Starts a server on a reserved port and in a temporary folder. Returns when the server answers.
 * @param args additional arguments, after those of the kind
 */
export async function startProcess(
  kind: ProcessKind,
  binary: Binary,
  args: readonly string[] = [],
): Promise<ProcessServer> {
  for (let tries = 1; ; tries++) {
    const server = createServer(kind, binary, await reservePort(), args)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      if (!(error instanceof StartError && error.portTaken && tries < 10)) throw error
    }
  }
}

function createServer(
  kind: ProcessKind,
  binary: Binary,
  reserved: Port,
  args: readonly string[],
): ProcessServer {
  const port = reserved.number
  const parent = process.env.SESSION_STORES_SERVER_FOLDER ?? tmpdir()
  const folder = mkdtempSync(join(parent, `testbed-${kind.name.toLowerCase()}-`))
  tellGuard('add', 'folder', folder)
  const log = join(folder, 'server.log')
  const url = kind.url(port)
  let child: ChildProcess | undefined
  let version = ''

  const signal = (name: NodeJS.Signals) => {
    if (!child?.kill(name)) throw new Error(`${kind.name} on port ${port} is not running`)
  }

  async function startOnce(): Promise<void> {
    if (child) throw new Error(`${kind.name} on port ${port} is running already`)
    const user = await kind.prepare?.(binary.path, folder)
    const started = spawnLogged(binary.path, [...kind.args(port, folder), ...args], folder, log, user)
    const pid = started.pid
    if (pid === undefined) throw (await once(started, 'error'))[0]
    tellGuard('add', 'pid', pid)
    started.unref()
    child = started
    let ended = false
    started.once('exit', () => {
      ended = true
      child = undefined
      tellGuard('drop', 'pid', pid)
    })
    version = await until(
      async () => {
        if (ended) throw new StartError(kind, readFileSync(log, 'utf8'))
        const answer = await kind.identify(url)
        if (answer.pid !== pid) throw new Error(`another server answers on port ${port}`)
        return answer.version
      },
      30_000,
      (error) => error instanceof StartError,
    )
  }

  const server: ProcessServer = {
    url,
    port,
    folder,
    source: binary.source,
    arrangement: kind.arrangement,
    get pid() {
      return child?.pid
    },
    get version() {
      return version
    },
    pause() {
      signal('SIGSTOP')
      // A thread that still runs could process what the caller sends next.
      if (child) while (!isStopped(child.pid!));
    },
    resume: () => signal('SIGCONT'),
    async kill() {
      if (child) await killAndWait(child)
    },
    start: () => until(startOnce, 30_000, (error) => !(error instanceof StartError && error.childrenLive)),
    async stop() {
      await server.kill()
      reserved.release()
      rmSync(folder, { recursive: true, force: true })
      tellGuard('drop', 'folder', folder)
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }
  return server
}

/** Starts a program whose output goes to the log file. The file is emptied first. */
function spawnLogged(path: string, args: string[], cwd: string, log: string, user: User = {}): ChildProcess {
  const output = openSync(log, 'w')
  try {
    // The own process group keeps a Ctrl-C away from the server; the tests stop it instead.
    return spawn(path, args, { stdio: ['ignore', output, output], cwd, ...user, detached: true })
  } finally {
    closeSync(output)
  }
}

async function killAndWait(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  // A server does not keep this process alive, but a pending `kill` must.
  child.ref()
  child.kill('SIGKILL')
  await ended
}
