/**
 * A process of an application whose store answers lookups from memory. Its arguments are the
 * database, its place and the options of the store as JSON. It needs `--expose-gc`.
 */
import type { DatabaseId } from '@session-stores/testbed/databases'
import { generateSession, type RequestSession } from '../session.ts'
import { openStore } from '../store.ts'
import type { Answer, Order } from './protocol.ts'

const [database, place, options] = process.argv.slice(2) as [DatabaseId, string, string]
const store = await openStore(database, place, {
  operationTimeout: 30_000,
  pruneInterval: false,
  ...JSON.parse(options),
})
const collect = (globalThis as unknown as { gc(): void }).gc

/** How many calls are made at once. */
const AT_ONCE = 64

/** The monotonic clock of the machine, which all its processes share, in milliseconds. */
const readClock = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

async function inChunks<T>(all: readonly T[], act: (one: T, i: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < all.length; from += AT_ONCE)
    await Promise.all(all.slice(from, from + AT_ONCE).map((one, i) => act(one, from + i)))
}

/** The sessions that this process has ended, as it was told by its store. */
const ended = new Set<string>()
let looking: { isOver: boolean; answer: Promise<Answer> } | undefined

function look(ids: string[]): NonNullable<typeof looking> {
  const times: Answer['times'] = Array.from({ length: ids.length })
  let [own, lookups] = [0, 0]
  const state = { isOver: false, answer: Promise.resolve<Answer>({}) }
  const run = async (): Promise<Answer> => {
    while (!state.isOver) {
      await inChunks(ids, async (id, i) => {
        const isEnded = ended.has(id)
        const time = readClock()
        lookups++
        if ((await store.get(id)) === null) return
        times[i] = time
        if (isEnded) own++
      })
      // Lookups from memory leave no turn to the answers of the database.
      await new Promise(setImmediate)
    }
    return { times, own, lookups }
  }
  state.answer = run()
  return state
}

async function load(id: string): Promise<RequestSession> {
  const request = { sessionID: id, sessionStore: store }
  const found = await store.get(id)
  if (found === null) throw new Error('a session is missing')
  return store.createSession(request as never, found) as unknown as RequestSession
}

async function follow(order: Order): Promise<Answer> {
  switch (order.do) {
    case 'fill':
      await inChunks(order.ids, (id) => store.set(id, generateSession(store, id, { note: 'x'.repeat(300) })))
      return {}
    case 'look':
      looking = look(order.ids)
      return {}
    case 'stop': {
      const { answer } = Object.assign(looking!, { isOver: true })
      return answer
    }
    case 'end': {
      const begin = readClock()
      const times: number[] = []
      for (const [i, id] of order.ids.entries()) {
        const due = begin + (order.milliseconds * i) / order.ids.length
        while (readClock() < due) await new Promise((resolve) => setTimeout(resolve, 1))
        await store.destroy(id)
        times.push(readClock())
        ended.add(id)
      }
      return { times }
    }
    case 'save':
      for (let round = 0; round < order.rounds; round++)
        await inChunks(order.ids, async (id) => {
          const loaded = await load(id)
          loaded[`${order.name}-${round}`] = round
          await store.set(id, loaded)
        })
      return {}
    case 'read':
      await inChunks(order.ids, (id) => store.get(id))
      collect()
      return { heap: process.memoryUsage().heapUsed }
  }
}

process.on('message', async (order: Order) => {
  const answer = await follow(order).catch((error: Error) => ({ error: error.message }))
  process.send!(answer satisfies Answer)
})
process.on('disconnect', () => process.exit())
await store.ping()
process.send!({})
