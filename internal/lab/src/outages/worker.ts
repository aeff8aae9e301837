/**
 * An application's process under a steady load, while its database fails and returns. Its arguments
 * are the database and its URL. It needs `--expose-gc` because memory is measured after a garbage
 * collection.
 */
import type { DatabaseId } from '@session-stores/testbed/databases'
import { generateSession, type RequestSession } from '../session.ts'
import { openStore } from '../store.ts'
import { type Failure, OPERATION_TIMEOUT, type Order, RATE, type Report, type Verb } from './protocol.ts'

const [database, place] = process.argv.slice(2) as [DatabaseId, string]
const store = await openStore(database, place, { operationTimeout: OPERATION_TIMEOUT, pruneInterval: false })

/** Milliseconds between two batches of calls. */
const TICK = 10
const SESSIONS = 500
const collect = (globalThis as unknown as { gc(): void }).gc

function generate(id: string): RequestSession {
  return generateSession(store, id, { note: 'x'.repeat(300) })
}

const known = Array.from({ length: SESSIONS }, (_, i) => `known-${i}`)
const pool = new Map(known.map((id) => [id, generate(id)]))
for (const [id, created] of pool) await store.set(id, created)

let created = 0
const failures: Failure[] = []
const successes: Report['successes'] = {}
let [calls, failed, longest, over] = [0, 0, 0, 0]
const codes: Record<string, number> = {}

/** The time from which successful calls count as service. */
let since = Number.POSITIVE_INFINITY
const served: Report['served'] = {}

function makeCall(verb: Verb): void {
  const begin = Date.now()
  const start = performance.now()
  const id = verb === 'create' ? `created-${created++}` : known[(Math.random() * SESSIONS) | 0]!
  calls++
  const done = (error: unknown): void => {
    const end = Date.now()
    const duration = performance.now() - start
    longest = Math.max(longest, duration)
    if (duration > OPERATION_TIMEOUT + 250) over++
    if (!error) {
      successes[verb] = (successes[verb] ?? 0) + 1
      if (end >= since) served[verb] ??= end
      return
    }
    failed++
    const { code } = error as { code: string }
    codes[code] = (codes[code] ?? 0) + 1
    if (verb === 'create') failures.push({ id, begin, end })
  }
  switch (verb) {
    case 'lookup':
      return store.get(id, done)
    case 'touch':
      return store.touch(id, pool.get(id)!, done)
    case 'save':
      return store.set(id, Object.assign(pool.get(id)!, { visits: calls }), done)
    case 'create':
      return store.set(id, generate(id), done)
  }
}

const mix: Verb[] = [
  'lookup',
  'lookup',
  'touch',
  'lookup',
  'save',
  'lookup',
  'touch',
  'lookup',
  'save',
  'create',
]
let timer: NodeJS.Timeout | undefined
let due = performance.now()

function tick(): void {
  // Calls that the process was late for are limited, because an application does not get requests
  // twice.
  const count = Math.min(Math.floor(((performance.now() - due) * RATE) / 1000), RATE / 4)
  due = performance.now()
  for (let i = 0; i < count; i++) makeCall(mix[calls % mix.length]!)
}

const memory: Report['memory'] = []
function weigh(): void {
  collect()
  const { heapUsed, rss } = process.memoryUsage()
  memory.push({ at: Date.now(), heap: heapUsed, rss })
}

process.on('message', async (order: Order) => {
  if (order.do === 'load') {
    due = performance.now()
    timer = setInterval(tick, TICK)
    setInterval(weigh, 1000)
    process.send?.('loading')
  } else if (order.do === 'watch') since = order.since
  else {
    clearInterval(timer)
    const present: string[] = []
    for (const { id } of failures) if ((await store.get(id).catch(() => null)) !== null) present.push(id)
    const report: Report = {
      calls,
      failed,
      codes,
      successes,
      longest,
      over,
      served,
      memory,
      failures,
      present,
    }
    // The report may be larger than the pipe's buffer, so the process exits after it was sent.
    process.send!(report, () => process.exit())
  }
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
