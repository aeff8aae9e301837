import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reservePort } from '@session-stores/testbed'
import { after } from '@session-stores/testbed/vitest'
import { expect, test } from 'vitest'
import { openBrowser, SECRET } from '../../../packages/express/test/support/site.ts'

const root = join(import.meta.dirname, '../../..')

/** Runs the program of a README as it stands, and returns the address that it prints. */
async function runProgram(name: string): Promise<string> {
  const port = await reservePort()
  after(() => port.release())
  const readme = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8')
  const [, program] = /^```ts\n(\/\/ server\.ts\n.*?)^```$/ms.exec(readme)!
  const folder = mkdtempSync(join(import.meta.dirname, '.readme-'))
  after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'server.ts'), program!)
  const env = { ...process.env, SESSION_SECRET: SECRET, PORT: `${port.number}`, NODE_ENV: 'development' }
  const child = spawn('node', ['server.ts'], { cwd: folder, env, stdio: ['ignore', 'pipe', 2] })
  after(async () => {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  })
  let printed = ''
  for await (const chunk of child.stdout!) {
    printed += chunk
    const [address] = /http:\/\/localhost:\d+/.exec(printed) ?? []
    if (address) return address
  }
  throw new Error(`the program ended: ${printed}`)
}

test.each(['koa', 'fastify'])('the program of the README of %s signs in and out', async (name) => {
  const browser = openBrowser(await runProgram(name))
  const show = async () => JSON.parse((await browser.get('/')).body)
  expect(await show()).toEqual({ user: null })
  await browser.post('/sign-in')
  expect(await show()).toEqual({ user: 'ada' })
  await browser.post('/sign-out')
  expect(await show()).toEqual({ user: null })
})
