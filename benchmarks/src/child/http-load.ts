import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import type { Measurement } from '../results/results.ts'
import { Latencies } from './latencies.ts'
import type { Costs } from './meter.ts'
import type { Point } from './protocol.ts'
import { Tally, WrongAnswer } from './tally.ts'

export interface Load extends Point {
  url: string
}

export type Loaded = Omit<Measurement, keyof Costs>

interface Visitor {
  /** The session's cookie, or an access token. */
  headers: Record<string, string>
  /** The text that the server must return for this visitor. */
  marker: string
}

/**
 * Keeps every connection busy with sequential requests. Counting starts with the message 'measure'.
 */
async function load({ url, operation, parameters, warmUp, duration }: Load): Promise<void> {
  const connections = parameters.concurrency
  const count = operation === 'http-one-session' ? 1 : connections
  const visitors = await Promise.all(Array.from({ length: count }, () => signIn(url)))
  let latencies = new Latencies()
  let tally = new Tally()
  let operations = 0
  let next = 0

  function setupClient(client: autocannon.Client): void {
    const { headers, marker } = visitors[next++ % visitors.length]!
    client.setHeaders(headers)
    let right = false
    client.on('body', (body) => {
      right ||= body.includes(marker)
    })
    client.on('response', (status, _bytes, latency) => {
      latencies.record(latency)
      operations++
      if (status !== 200) tally.add(new Error(`the application answered with status ${status}`))
      else if (!right) tally.add(new WrongAnswer('another session came back'))
      right = false
    })
  }

  const ended = Promise.withResolvers<void>()
  const generator = autocannon({ url, connections, duration: 3600, sampleInt: 100, setupClient }, () =>
    ended.resolve(),
  )
  generator.on('reqError', (error) => tally.add(error))
  await sleep(warmUp)
  process.send!('ready')
  await once(process, 'message')
  ;[latencies, tally, operations] = [new Latencies(), new Tally(), 0]
  const start = performance.now()
  await sleep(duration)
  const seconds = (performance.now() - start) / 1000
  const counts = tally.counts()
  process.send!({
    ...{ operations, seconds, opsPerSecond: operations / seconds },
    ...{ latency: latencies.encoded(), ...counts },
  } satisfies Loaded)
  await once(process, 'message')
  generator.stop()
  await ended.promise
  process.send!('stopped')
}

async function signIn(url: string): Promise<Visitor> {
  const response = await fetch(`${url}/sign-in`, { method: 'POST' })
  const [cookie] = response.headers.getSetCookie()
  const token = response.headers.get('x-token')
  if (!response.ok || !(cookie || token)) throw new Error(`sign-in answered with status ${response.status}`)
  const headers: Record<string, string> = cookie
    ? { cookie: cookie.split(';')[0]! }
    : { authorization: `Bearer ${token}` }
  return { headers, marker: await response.text() }
}

process.on('disconnect', () => process.exit())
for (;;) {
  const [message] = await once(process, 'message')
  await load(message as Load)
}
