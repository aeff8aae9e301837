import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { answer } from './child.ts'
import type { Measurement } from './loop.ts'
import type { HttpScenario } from './suites.ts'

export interface Load {
  url: string
  scenario: HttpScenario
  connections: number
  /** Milliseconds. */
  warmUp: number
  duration: number
}

interface Visitor {
  cookie: string
  /** What the server must answer to this cookie. */
  marker: string
}

/** Keeps every connection busy with one request after the other, and counts those of the measured time. */
async function load({ url, scenario, connections, warmUp, duration }: Load): Promise<Measurement> {
  const count = scenario === 'one session' ? 1 : connections
  const visitors = await Promise.all(Array.from({ length: count }, () => signIn(url)))
  const latencies: number[] = []
  let errors = 0
  let failure: string | undefined
  let next = 0

  function setupClient(client: autocannon.Client): void {
    const { cookie, marker } = visitors[next++ % visitors.length]!
    client.setHeaders({ cookie })
    let right = false
    client.on('body', (body) => {
      right ||= body.includes(marker)
    })
    client.on('response', (status, _bytes, latency) => {
      latencies.push(latency)
      if (status !== 200 || !right) fail(`status ${status}, ${right ? 'the right' : 'another'} session`)
      right = false
    })
  }

  function fail(reason: unknown): void {
    errors++
    failure ??= String(reason)
  }

  const ended = Promise.withResolvers<void>()
  const generator = autocannon({ url, connections, duration: 3600, sampleInt: 100, setupClient }, () =>
    ended.resolve(),
  )
  generator.on('reqError', fail)
  await sleep(warmUp)
  const before = await cpu(url)
  const [start, first] = [performance.now(), latencies.length]
  await sleep(duration)
  const used = (await cpu(url)) - before
  const [end, last] = [performance.now(), latencies.length]
  generator.stop()
  await ended.promise

  const measured = latencies.slice(first, last).sort((a, b) => a - b)
  return {
    rate: (measured.length * 1000) / (end - start),
    cpu: used / measured.length,
    p50: measured[Math.floor(measured.length * 0.5)]!,
    p99: measured[Math.floor(measured.length * 0.99)]!,
    errors,
    failure,
  }
}

async function signIn(url: string): Promise<Visitor> {
  const response = await fetch(`${url}/sign-in`, { method: 'POST' })
  const [cookie] = response.headers.getSetCookie()
  if (!response.ok || !cookie) throw new Error(`sign-in answered ${response.status}`)
  return { cookie: cookie.split(';')[0]!, marker: await response.text() }
}

async function cpu(url: string): Promise<number> {
  const response = await fetch(`${url}/cpu`)
  const { user, system } = (await response.json()) as NodeJS.CpuUsage
  return user + system
}

answer(load)
