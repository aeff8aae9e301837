import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { generateKey } from '@session-stores/token'

/** Programs of pages, run as they stand. */

/** What the pages ask to be set before a program starts. */
const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PORT: '0',
  SESSION_SECRET: 'jT7PqE2vXr9WmKf4LzB8nYcD5sGhA1uQ',
  TOKEN_SECRET: 'Yw0f9h2sX7kQm4Zt8vRb1nLc6dJg3pAe5uToWiKyHsM',
  TOKEN_KEY: generateKey(),
})

/**
 * A header with which a request has a connection of its own. A server closes a connection that rests for
 * some seconds, and a form that is sent at this moment fails.
 */
export const OWN_CONNECTION = { Connection: 'close' }

/** The server of a page. */
export interface Server extends AsyncDisposable {
  readonly origin: string
  /** The cookie of the last answer, as the next request sends it. */
  readonly cookie: string
  /** Sends a form, or a request without a body, with the cookies of the last answers. */
  ask(
    path: string,
    form?: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: unknown }>
  /** Runs another program of the page. */
  run(program: string): Promise<string>
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  /** The arguments of node. */
  readonly args?: readonly string[]
}

/** Starts the server of a page, in the folder of its programs. It prints its URL. */
export async function start(folder: string, options: StartOptions = {}): Promise<Server> {
  const { args = ['server.mjs'] } = options
  const env = { ...environment(), ...options.env }
  const child = spawn('node', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const origin = await printedBy(child)
  let cookie = ''
  return {
    origin,
    get cookie() {
      return cookie
    },
    async ask(path, form, headers = {}) {
      const response = await fetch(origin + path, {
        method: form ? 'POST' : 'GET',
        redirect: 'manual',
        headers: {
          ...OWN_CONNECTION,
          'Sec-Fetch-Site': 'same-origin',
          ...(cookie && { cookie }),
          ...headers,
        },
        ...(form && { body: new URLSearchParams(form) }),
      })
      for (const line of response.headers.getSetCookie()) cookie = line.split(';')[0]!
      const text = await response.text()
      return {
        status: response.status,
        body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
      }
    },
    async run(program) {
      const { stdout } = await promisify(execFile)('node', [program], {
        cwd: folder,
        env: { ...env, SITE: origin },
      })
      return stdout
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}

async function printedBy(child: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      said += chunk
      const found = /http:\/\/localhost:\d+/.exec(said)
      if (found) resolve(found[0])
    }
    child.stdout!.on('data', read)
    child.stderr!.on('data', read)
    child.once('exit', () => reject(new Error(`the program of the page ended: ${said}`)))
  })
}
