import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { password, type Served, serve } from '../../app/test/support/serve.ts'

const main = join(import.meta.dirname, '..', 'src', 'main.ts')

interface Result {
  code: number | null
  output: string
}

function openClient(served: Served) {
  const folder = mkdtempSync(join(tmpdir(), 'notes-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const tokens = join(folder, 'sub', 'tokens.json')
  const run = async (...args: string[]): Promise<Result> => {
    const child = spawn('node', [main, ...args, '--site', served.origin], {
      env: { ...process.env, NOTES_TOKENS: tokens },
    })
    child.stdin.end(`${password}\n`)
    const [out, error, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ])
    return { code, output: out + error }
  }
  return { run, tokens, read: () => JSON.parse(readFileSync(tokens, 'utf8')) }
}

async function signUp({ origin }: Served, name: string): Promise<void> {
  const { status } = await fetch(`${origin}/sign-up`, {
    method: 'POST',
    body: new URLSearchParams({ name, password }),
  })
  expect(status).toBe(200)
}

describe('the command-line client', () => {
  test('signs in, adds and lists notes, and signs out', async () => {
    const served = await serve()
    await signUp(served, 'Ada')
    const { run, tokens, read } = openClient(served)
    expect(await run('list')).toEqual({ code: 1, output: expect.stringContaining('not signed in') })
    expect(await run('sign-in', 'Ada')).toEqual({ code: 0, output: 'You are signed in.\n' })
    expect((statSync(tokens).mode & 0o777).toString(8)).toBe('600')
    expect(await run('add', 'Buy milk')).toEqual({ code: 0, output: '' })
    expect(await run('list')).toEqual({ code: 0, output: 'Buy milk\n' })
    const { refreshToken } = read()
    expect(await run('sign-out')).toEqual({ code: 0, output: 'You are signed out.\n' })
    expect(await run('list')).toMatchObject({ code: 1 })
    const refreshed = await fetch(`${served.origin}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    })
    expect(refreshed.status).toBe(400)
  })

  test('gets a new access token when the old one is refused, also in two runs at once', async () => {
    const served = await serve()
    await signUp(served, 'Ada')
    const { run, tokens, read } = openClient(served)
    await run('sign-in', 'Ada')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(tokens, JSON.stringify({ ...read(), accessToken: 'expired.expired.expired' }))
    const results = await Promise.all([run('list'), run('add', 'Buy milk'), run('list')])
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(await run('list')).toEqual({ code: 0, output: 'Buy milk\n' })
  })

  test('is signed out when its session is ended elsewhere, and stays signed in while the site is away', async () => {
    const served = await serve()
    await signUp(served, 'Ada')
    const { run, read } = openClient(served)
    await run('sign-in', 'Ada')
    const away = await promisify(execFile)('node', [main, 'sign-out'], {
      env: { ...process.env, NOTES_TOKENS: '/dev/null/none' },
    }).catch(({ code }) => code)
    expect(away).toBe(1)
    served.server.close()
    served.server.closeAllConnections()
    expect(await run('sign-out')).toEqual({ code: 1, output: expect.stringContaining('cannot be reached') })
    expect(read().refreshToken).toMatch(/^rt_/)
    const again = await serve({ store: served.store })
    const { sessions } = await served.store.list()
    for (const { handle, session } of sessions) if (session.tokenFamily) await served.store.revoke(handle)
    const other = openClient(again)
    await signUp(again, 'Eve')
    await other.run('sign-in', 'Eve')
    const [eve] = (await served.store.list()).sessions.filter(({ session }) => session.tokenFamily)
    await served.store.revoke(eve!.handle)
    expect(await other.run('list')).toEqual({ code: 1, output: 'You are signed out. Sign in again.\n' })
    expect(() => other.read()).toThrow(/ENOENT/)
  })

  test('says what is wrong without a secret', async () => {
    const served = await serve()
    const { run } = openClient(served)
    for (const [args, said] of [
      [['sign-in', 'Nobody'], 'The name or the password is wrong.'],
      [['sign-in'], 'notes sign-in <name>'],
      [['list', 'x'], 'notes sign-in <name>'],
      [['--password', 'x'], "Unknown option '--password'"],
    ] as const) {
      const { code, output } = await run(...args)
      expect([code, output]).toEqual([1, expect.stringContaining(said)])
      expect(output).not.toContain(password)
    }
  })
})
