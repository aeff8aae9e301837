import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { reserve, reservePort } from '../src/port.ts'

/** Reserves the port in another process. Returns the process, and whether it got the port. */
async function reserveElsewhere(port: number): Promise<{ child: ChildProcess; reserved: boolean }> {
  const path = join(import.meta.dirname, 'fixtures/reserver.ts')
  const child = spawn(process.execPath, [path, `${port}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [said] = await once(child.stdout, 'data')
  return { child, reserved: `${said}`.trim() === 'true' }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

test('a reserved port can be listened on repeatedly, and no process can reserve it in the meantime', async () => {
  const port = await reservePort()
  for (const _ of [1, 2]) {
    const server = createServer().listen(port.number, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    expect(await reserve(port.number)).toBeUndefined()
    const { child, reserved } = await reserveElsewhere(port.number)
    await end(child)
    expect(reserved).toBe(false)
  }
  port.release()
  const { child, reserved } = await reserveElsewhere(port.number)
  await end(child)
  expect(reserved).toBe(true)
})

test('a port is free again after the process that reserved it was killed', async () => {
  const port = await reservePort()
  port.release()
  const { child, reserved } = await reserveElsewhere(port.number)
  expect(reserved).toBe(true)
  expect(await reserve(port.number)).toBeUndefined()
  await end(child)
  const again = await reserve(port.number)
  expect(again?.number).toBe(port.number)
  again?.release()
  // Releasing the port twice is harmless.
  again?.release()
})

test('no port is in the range of outgoing connections', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, reservePort))
  for (const { number, release } of ports) {
    expect(number).toBeGreaterThanOrEqual(10_000)
    // On Linux, outgoing connections start at 32,768, and Redis Cluster uses the port 10,000
    // above.
    expect(number + 10_000).toBeLessThan(32_768)
    release()
  }
  expect(new Set(ports.map(({ number }) => number)).size).toBe(20)
})
