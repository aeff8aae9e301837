import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { StoreOptions } from '@session-stores/core'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { openStore } from '../store.ts'
import type { Answer, Order } from './protocol.ts'

/** The option of the stores, in milliseconds. */
export const FRESHNESS = 1000
/** How many sessions are looked up at a time. */
const GROUP = 500

/** A process of the application. */
class Member implements Disposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<never>

  constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the process ended with ${code}`)
    })
    this.#ended.catch(() => {})
  }

  static async start(database: DatabaseId, place: string, options: StoreOptions): Promise<Member> {
    const child = fork(
      new URL('./worker.ts', import.meta.url),
      [database, place, JSON.stringify({ freshness: FRESHNESS, ...options })],
      { execArgv: ['--expose-gc'] },
    )
    const member = new Member(child)
    await member.#answer()
    return member
  }

  async tell(order: Order): Promise<Answer> {
    const answer = this.#answer()
    this.#child.send(order)
    const { error, ...given } = await answer
    if (error !== undefined) throw new Error(error)
    return given
  }

  async #answer(): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.#child.once('message', (answer) => resolve(answer as Answer))
    return Promise.race([promise, this.#ended])
  }

  [Symbol.dispose](): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}

/** What lookups saw of logouts. */
export interface Logouts {
  logouts: number
  lookups: number
  /** How many sessions were found after their logout elsewhere was acknowledged. */
  seenAfter: number
  /** The longest time from such a logout to the begin of a lookup that found it, in milliseconds. */
  longest: number
  /** How many of the other process were found later than `freshness` allows. */
  tooLate: number
  /** How many lookups found a session that the same process had ended. */
  own: number
}

/** Ends sessions in one process, and looks them up in another and in the same one. */
export async function tryLogouts(database: DatabaseId, place: string, logouts: number): Promise<Logouts> {
  using looker = await Member.start(database, place, {})
  using ender = await Member.start(database, place, {})
  const result: Logouts = { logouts, lookups: 0, seenAfter: 0, longest: 0, tooLate: 0, own: 0 }
  for (let from = 0; from < logouts; from += GROUP) {
    const ids = Array.from({ length: Math.min(GROUP, logouts - from) }, (_, i) => `session-${from + i}`)
    await ender.tell({ do: 'fill', ids })
    await Promise.all([looker.tell({ do: 'look', ids }), ender.tell({ do: 'look', ids })])
    const { times: ends } = await ender.tell({ do: 'end', ids, milliseconds: FRESHNESS })
    // Whoever shows a session for too long is seen to do so.
    await pause(FRESHNESS * 1.3)
    const [seen, own] = [await looker.tell({ do: 'stop' }), await ender.tell({ do: 'stop' })]
    result.lookups += seen.lookups! + own.lookups!
    result.own += own.own!
    for (const [i, end] of ends!.entries()) {
      const age = (seen.times![i] ?? 0) - end!
      if (age > 0) result.seenAfter++
      if (age > FRESHNESS) result.tooLate++
      result.longest = Math.max(result.longest, age)
    }
  }
  return result
}

/** Lets two processes save the same sessions, and returns how many of their changes are missing. */
export async function trySaves(
  database: DatabaseId,
  place: string,
  sessions: number,
  rounds: number,
): Promise<{ saves: number; lost: number }> {
  const ids = Array.from({ length: sessions }, (_, i) => `saved-${i}`)
  const names = ['one', 'other']
  const members = await Promise.all(names.map(() => Member.start(database, place, {})))
  const reader = await openStore(database, place, { pruneInterval: false })
  try {
    await members[0]!.tell({ do: 'fill', ids })
    await Promise.all(members.map((member, i) => member.tell({ do: 'save', ids, name: names[i]!, rounds })))
    let lost = 0
    for (const id of ids) {
      const found = (await reader.get(id)) as Record<string, unknown> | null
      for (const name of names)
        for (let round = 0; round < rounds; round++) if (found?.[`${name}-${round}`] !== round) lost++
    }
    return { saves: sessions * rounds * names.length, lost }
  } finally {
    for (const member of members) member[Symbol.dispose]()
    await reader.close()
  }
}

/** Looks up many different sessions, and returns how much the memory of the process grew. */
export async function tryMemory(
  database: DatabaseId,
  place: string,
  sessions: number,
  cacheBytes: number,
): Promise<{ sessions: number; cacheBytes: number; grownBytes: number }> {
  using member = await Member.start(database, place, { cacheBytes, freshness: 60_000 })
  const page = (from: number): string[] =>
    Array.from({ length: Math.min(10_000, sessions - from) }, (_, i) => `many-${from + i}`)
  await member.tell({ do: 'fill', ids: ['first'] })
  const { heap: before } = await member.tell({ do: 'read', ids: ['first'] })
  for (let from = 0; from < sessions; from += 10_000) await member.tell({ do: 'fill', ids: page(from) })
  let after = 0
  for (let from = 0; from < sessions; from += 10_000)
    after = Math.max(after, (await member.tell({ do: 'read', ids: page(from) })).heap!)
  return { sessions, cacheBytes, grownBytes: after - before! }
}
