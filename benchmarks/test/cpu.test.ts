import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, it } from 'vitest'
import { Meter } from '../src/child/meter.ts'
import { cpuTimes } from '../src/run/cpu.ts'

/** Uses a processor for 200 ms, says so, and goes on waiting for a message. */
const BUSY = `
  const { parentPort } = require('node:worker_threads')
  const end = performance.now() + 200
  while (performance.now() < end);
  parentPort.on('message', () => {}).postMessage('done')`

const usage = async () => ({ roundTrips: null, commands: null, cpu: cpuTimes([process.pid]) })

describe('CPU of the server', () => {
  it('does not become less when a thread of the server ends', async () => {
    const worker = new Worker(BUSY, { eval: true })
    await once(worker, 'message')
    const meter = new Meter(usage)
    await meter.startServer()
    await worker.terminate()
    const { cpuServer } = await meter.stopServer(1)
    assert.ok(cpuServer! > 0, `${cpuServer}`)
  })

  it('counts the threads that a server starts meanwhile, and none of a process that has ended', async () => {
    const meter = new Meter(usage)
    await meter.startServer()
    const worker = new Worker(BUSY, { eval: true })
    await once(worker, 'message')
    const { cpuServer } = await meter.stopServer(1)
    await worker.terminate()
    assert.ok(cpuServer! > 50_000, `${cpuServer}`)
    assert.deepEqual(cpuTimes([2 ** 30]), {})
  })
})
