import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { generateKey } from '@session-stores/token'
import { expect } from 'vitest'

/** The programs of the guides, run as they stand. */

const root = join(import.meta.dirname, '../..')

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PORT: '0',
  SESSION_SECRET: 'jT7PqE2vXr9WmKf4LzB8nYcD5sGhA1uQ',
  TOKEN_SECRET: 'Yw0f9h2sX7kQm4Zt8vRb1nLc6dJg3pAe5uToWiKyHsM',
  TOKEN_KEY: generateKey(),
})

/** Writes the programs of each guide into a folder of its name. Returns the names of the guides. */
export function writeGuides(folder: string): string[] {
  const guides = globSync('docs/guides/*.md', { cwd: root }).sort()
  for (const guide of guides) {
    const own = join(folder, basename(guide, '.md'))
    mkdirSync(own, { recursive: true })
    const blocks = [...readFileSync(join(root, guide), 'utf8').matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    for (const [, language, code] of blocks) {
      // Another block would be one that nothing runs.
      expect(language, guide).toBe('js')
      const name = /^\/\/ (\w+\.mjs)\n/.exec(code!)?.[1]
      expect(name, `${guide}: each program begins with its name`).toBeDefined()
      writeFileSync(join(own, name!), code!)
    }
  }
  return guides.map((guide) => basename(guide, '.md'))
}

interface Server extends AsyncDisposable {
  origin: string
  /** Sends a form, or a request without a body, with the cookies of the last answers. */
  ask(
    path: string,
    form?: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: unknown }>
  /** Runs another program of the guide. */
  run(program: string): Promise<string>
}

/** Starts the server of a guide, in the guide's folder. */
async function start(folder: string, env: NodeJS.ProcessEnv): Promise<Server> {
  const child = spawn('node', ['server.mjs'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const origin = await printedBy(child)
  let cookie = ''
  return {
    origin,
    async ask(path, form, headers = {}) {
      const response = await fetch(origin + path, {
        method: form ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { 'Sec-Fetch-Site': 'same-origin', ...(cookie && { cookie }), ...headers },
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
    child.once('exit', () => reject(new Error(`the program of the guide ended: ${said}`)))
  })
}

const user = (name: string | null) => ({ status: 200, body: { user: name } })
const password = 'correct horse'

const checks: Readonly<Record<string, (server: Server, folder: string) => Promise<void>>> = {
  async 'cookies-and-csrf'({ ask }) {
    expect((await ask('/sign-in', { name: 'ada', password: 'wrong' })).status).toBe(401)
    expect(
      (await ask('/sign-in', { name: 'ada', password }, { 'Sec-Fetch-Site': 'cross-site' })).status,
    ).toBe(403)
    expect((await ask('/sign-in', { name: 'ada', password })).status).toBe(303)
    expect(await ask('/')).toEqual(user('ada'))
    expect((await ask('/sign-out', {})).status).toBe(303)
    expect(await ask('/')).toEqual(user(null))
  },
  async passport({ ask }) {
    expect((await ask('/login', { username: 'ada', password: 'wrong' })).status).toBe(401)
    expect((await ask('/login', { username: 'ada', password })).status).toBe(303)
    expect(await ask('/')).toEqual(user('ada'))
    expect((await ask('/logout', {})).status).toBe(303)
    expect(await ask('/')).toEqual(user(null))
  },
  async 'apis-with-jwts'({ origin, ask, run }, folder) {
    expect(await run('client.mjs')).toBe("{ user: 'ada' }\n{ user: 'ada' }\n")
    expect((await ask('/api/me')).status).toBe(401)
    const response = await fetch(`${origin}/api/sign-in`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ password }),
    })
    const { access_token: token } = (await response.json()) as { access_token: string }
    process.env.SITE = origin
    const { verify } = (await import(
      /* @vite-ignore */ `${pathToFileURL(join(folder, 'service.mjs'))}?${origin}`
    )) as {
      verify(token: string): Promise<{ sub: string; scope: string }>
    }
    expect(await verify(token)).toMatchObject({ sub: 'ada', scope: 'notes:read' })
    await expect(verify(`${token.slice(0, -4)}AAAA`)).rejects.toThrow()
  },
  async 'signing-out-everywhere'({ ask }) {
    const sign = () => ask('/sign-in', { name: 'ada', password })
    expect((await ask('/sessions')).status).toBe(401)
    // Each sign-in replaces the session of this browser.
    for (let i = 0; i < 3; i++) expect((await sign()).status).toBe(303)
    const { body } = await ask('/sessions')
    expect(body).toEqual([{ handle: expect.any(String), createdAt: expect.any(Number), isCurrent: true }])
    expect((await ask('/change-password', {})).status).toBe(303)
    expect((await ask('/sessions')).status).toBe(200)
    const [{ handle }] = body as [{ handle: string }]
    expect((await ask('/sessions/revoke', { handle })).status).toBe(303)
    expect((await ask('/sessions')).status).toBe(401)
    await sign()
    expect((await ask('/sign-out-everywhere', {})).status).toBe(204)
    expect((await ask('/sessions')).status).toBe(401)
  },
}

/** Runs the programs of a guide, and uses them as the guide says. */
export async function checkGuide(name: string, folder: string): Promise<void> {
  const check = checks[name]
  const own = join(folder, name)
  const programs = globSync('*.mjs', { cwd: own })
  expect(check !== undefined, `${name} has programs and no check, or the other way round`).toBe(
    programs.length > 0,
  )
  if (check === undefined) return
  await using server = await start(own, environment())
  await check(server, own)
}
