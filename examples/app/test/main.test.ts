import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Browser } from '@session-stores/testbed/browser'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { password } from './support/serve.ts'

const data = mkdtempSync(join(tmpdir(), 'app-main-'))
afterAll(() => rmSync(data, { recursive: true, force: true }))

interface Started {
  child: ChildProcess
  output: () => string
}

/** Starts the application and waits for its first line. The end of the test kills it. */
async function start(env: Record<string, string> = {}): Promise<Started> {
  const main = join(import.meta.dirname, '..', 'src', 'main.ts')
  const child = spawn('node', [main], { env: { ...process.env, DATA_DIR: data, PORT: '0', ...env } })
  onTestFinished(() => end(child))
  let output = ''
  await new Promise<void>((resolve) => {
    const read = (chunk: Buffer) => {
      output += chunk
      if (output.includes('\n')) resolve()
    }
    child.stdout!.on('data', read)
    child.stderr!.on('data', read)
  })
  return { child, output: () => output }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('the application prints its address and ends cleanly, and a session survives a restart', async () => {
  const first = await start()
  const [line, origin] = /^(http:\/\/localhost:\d+) keeps its sessions in sqlite:.*\n$/.exec(first.output())!
  expect(line).toContain('sessions.db')
  const browser = new Browser(origin!)
  const { body } = await browser.submit('/sign-up', '/sign-up', { name: 'Ann', password })
  expect(body).toContain('id="visits">1<')
  first.child.kill('SIGINT')
  expect(await once(first.child, 'exit')).toEqual([0, null])
  expect(first.output()).toBe(line)

  const second = await start()
  const again = new Browser(/^http:\/\/localhost:\d+/.exec(second.output())![0])
  for (const [name, value] of browser.cookies) again.cookies.set(name, value)
  expect((await again.get('/')).body).toContain('id="visits">2<')
  second.child.kill('SIGTERM')
  expect(await once(second.child, 'exit')).toEqual([0, null])
})

test('a failed start prints one line and no stack', async () => {
  const taken = createServer().listen(0)
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const unreadable = mkdtempSync(join(data, 'unreadable-'))
  writeFileSync(join(unreadable, 'users.db'), 'This text is in the place of a database.')
  for (const [env, expected] of [
    [{ PORT: `${port}` }, `Port ${port} is taken; choose another with PORT=3001\n`],
    [
      { SESSION_STORE: 'redis://:secret@localhost:1' },
      'redis://localhost:1 does not answer: Redis cannot be reached\n',
    ],
    [{ PORT: 'abc' }, /^The application cannot start: PORT takes a number from 0 to 65535.*\n$/],
    [{ TRUST_PROXY: 'nonsense' }, /^The application cannot start: TRUST_PROXY takes the addresses.*\n$/],
    [{ SESSION_SECRET: 'short' }, /^The application cannot start: SESSION_SECRET takes at least 32.*\n$/],
    [{ DATA_DIR: unreadable }, 'The application cannot start: file is not a database\n'],
  ] as const) {
    const { child, output } = await start(env)
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(output()).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected))
  }
})

test.each([
  'redis://ann:SECRET@local host',
  'redis://ann:SECRET@localhost:port',
  'postgres://ann:SECRET@local host/app',
  'postgres://ann:SECRET@localhost:port/app',
  'mongodb://ann:SECRET@',
  'mongodb://ann:SECRET@SECRET@localhost:port',
  'mysql://ann:SECRET@localhost',
  'SECRET',
])('an invalid URL is reported in one line without its password: %s', async (url) => {
  const { child, output } = await start({ SESSION_STORE: url })
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(output()).toMatch(/^\S+ (cannot be used|does not answer): .+\n$/)
  expect(output()).not.toContain('SECRET')
})

const umasks = process.platform === 'win32' ? [] : ['000', '777']
test.each(umasks)('only the owner can access the files, with a umask of %s', async (umask) => {
  const before = process.umask(umask)
  onTestFinished(() => void process.umask(before))
  const folder = join(data, `umask-${umask}`)
  const modes = () =>
    Object.fromEntries(
      readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]),
    )
  const tight = expect.objectContaining({
    secret: '600',
    'sessions.db': '600',
    'sessions.db-shm': '600',
    'sessions.db-wal': '600',
    'users.db': '600',
  })
  const first = await start({ DATA_DIR: folder })
  expect((statSync(folder).mode & 0o777).toString(8)).toBe('700')
  expect(modes()).toEqual(tight)
  expect(new Set(Object.values(modes()))).toEqual(new Set(['600']))

  // A killed process leaves the -wal and -shm files behind.
  await end(first.child)
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o666)
  await start({ DATA_DIR: folder })
  expect(modes()).toEqual(tight)
})

describe('an application that a test does not end', () => {
  let left: ChildProcess

  test('runs during the test', async () => {
    left = (await start()).child
    expect(left.exitCode).toBeNull()
  })

  test('has ended before the next test', () => {
    expect(left.signalCode).toBe('SIGKILL')
  })
})
