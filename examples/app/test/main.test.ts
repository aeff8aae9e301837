import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Browser } from './browser.ts'

const data = mkdtempSync(join(tmpdir(), 'app-main-'))
afterAll(() => rmSync(data, { recursive: true, force: true }))

async function start(
  env: Record<string, string> = {},
): Promise<{ child: ChildProcess; output: () => string }> {
  const main = join(import.meta.dirname, '..', 'src', 'main.ts')
  const child = spawn('node', [main], { env: { ...process.env, DATA_DIR: data, PORT: '0', ...env } })
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

test('it says where it is, ends cleanly, and a session lives through a restart', async () => {
  const first = await start()
  const [line, origin] = /^(http:\/\/localhost:\d+) keeps its sessions in sqlite:.*\n$/.exec(first.output())!
  expect(line).toContain('sessions.db')
  const browser = new Browser(origin!)
  expect((await browser.get('/')).body).toContain('id="visits">1<')
  first.child.kill('SIGINT')
  expect(await once(first.child, 'exit')).toEqual([0, null])
  expect(first.output()).toBe(line)

  const second = await start()
  const again = new Browser(/^http:\/\/localhost:\d+/.exec(second.output())![0])
  again.cookies = browser.cookies
  expect((await again.get('/')).body).toContain('id="visits">2<')
  second.child.kill('SIGTERM')
  expect(await once(second.child, 'exit')).toEqual([0, null])
})

test('what hinders it is one line', async () => {
  const taken = createServer().listen(0)
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  for (const [env, expected] of [
    [{ PORT: `${port}` }, `Port ${port} is taken; choose another with PORT=3001\n`],
    [
      { SESSION_STORE: 'redis://:secret@localhost:1' },
      'redis://:***@localhost:1 does not answer: Redis cannot be reached\n',
    ],
  ] as const) {
    const { child, output } = await start(env)
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(output()).toBe(expected)
  }
  taken.close()
})
