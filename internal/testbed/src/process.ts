import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tell } from './guard.ts'
import { type Port, reservePort } from './port.ts'
import type { ProcessKind, ProcessServer } from './server.ts'
import { until } from './until.ts'
import type { User } from './user.ts'

export interface Binary {
  readonly path: string
  readonly source: 'path' | 'fetched'
}

/** A server that ended before it answered; the message holds the end of its log. */
class StartError extends Error {
  readonly portTaken: boolean
  /** Children of a killed PostgreSQL live on for a moment, and keep its memory. */
  readonly childrenLive: boolean

  constructor(kind: ProcessKind, log: string) {
    super(`${kind.name} ended before it answered:\n${log.trimEnd().split('\n').slice(-10).join('\n')}`)
    this.portTaken = /address already in use/i.test(log)
    this.childrenLive = /pre-existing shared memory block/.test(log)
  }
}

/** Whether no thread of the process runs any more. Linux alone tells; elsewhere it is taken for granted. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`
  if (!existsSync(tasks)) return true
  try {
    // The state follows the name, which stands in brackets.
    return readdirSync(tasks).every((task) =>
      /\) [TtZX] /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8')),
    )
  } catch {
    // A thread ended meanwhile.
    return false
  }
}

/** Starts a server on a port of its own in a temporary folder; returns when it answers. `args` come after the kind's own. */
export async function startProcess(
  kind: ProcessKind,
  binary: Binary,
  args: readonly string[] = [],
): Promise<ProcessServer> {
  for (let tries = 1; ; tries++) {
    const server = make(kind, binary, await reservePort(), args)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      if (!(error instanceof StartError && error.portTaken && tries < 10)) throw error
    }
  }
}

function make(kind: ProcessKind, binary: Binary, reserved: Port, args: readonly string[]): ProcessServer {
  const port = reserved.number
  const parent = process.env.SESSION_STORES_SERVER_FOLDER ?? tmpdir()
  const folder = mkdtempSync(join(parent, `testbed-${kind.name.toLowerCase()}-`))
  tell('add', 'folder', folder)
  const log = join(folder, 'server.log')
  const url = kind.url(port)
  let child: ChildProcess | undefined
  let version = ''

  function run(user: User = {}): ChildProcess {
    const output = openSync(log, 'w')
    try {
      return spawn(binary.path, [...kind.args(port, folder), ...args], {
        stdio: ['ignore', output, output],
        cwd: folder,
        ...user,
        // In its own group: a Ctrl-C in the terminal is for the tests, which then end the server.
        detached: true,
      })
    } finally {
      closeSync(output)
    }
  }

  const signal = (name: NodeJS.Signals) => {
    if (!child?.kill(name)) throw new Error(`${kind.name} on port ${port} is not running`)
  }

  async function startOnce(): Promise<void> {
    if (child) throw new Error(`${kind.name} on port ${port} is running already`)
    const started = run(await kind.prepare?.(binary.path, folder))
    const pid = started.pid
    if (pid === undefined) throw (await once(started, 'error'))[0]
    tell('add', 'pid', pid)
    started.unref()
    child = started
    let ended = false
    started.once('exit', () => {
      ended = true
      child = undefined
      tell('drop', 'pid', pid)
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
      // A thread that runs on for a moment would do what the caller sends next.
      if (child) while (!isStopped(child.pid!));
    },
    resume: () => signal('SIGCONT'),
    async kill() {
      if (!child) return
      const ended = once(child, 'exit')
      // A server keeps no process alive, but whoever waits for its end.
      child.ref()
      child.kill('SIGKILL')
      await ended
    },
    start: () => until(startOnce, 30_000, (error) => !(error instanceof StartError && error.childrenLive)),
    async stop() {
      await server.kill()
      reserved.release()
      rmSync(folder, { recursive: true, force: true })
      tell('drop', 'folder', folder)
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }
  return server
}
