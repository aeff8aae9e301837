import { randomUUID } from 'node:crypto'
import { SessionStoreError, timers } from '@session-stores/core'
import type { RedisClient, RedisNode } from './client.ts'
import { digits } from './row.ts'

const { clearTimeout, setTimeout, uptime } = timers

/** What was learned about a server when its connection was checked. */
export interface Inspection {
  /** What the server's clock is ahead of `uptime()`, in milliseconds. */
  readonly offset: number
  /** What it does when memory is short; `undefined`: it evicts nothing, or does not say. */
  readonly eviction: string | undefined
}

/** A call that waits until commands can be sent. */
interface Waiter {
  go(): void
  fail(error: unknown): void
}

/** The share of the time limit in which a connection is made and checked, and in which a silent one counts as dead. */
export const CONNECT_SHARE = 0.6
/** The share of the time limit after which nothing that waits for a connection is sent any more. */
export const WAIT_SHARE = 0.8
/** The share of the time limit that an answer may take which shows whether a connection is out of step. */
const STEP_SHARE = 0.2

/**
 * A client, and what the driver has to know before it sends anything: whether each connection was checked since it
 * was made, and the server's clock.
 */
export abstract class Link {
  readonly client: RedisClient
  /** Whether commands can be sent: there is a connection, and it was checked. */
  isUsable = false
  /** How many connections have broken. */
  breaks = 0
  /** Whether a server removes keys by itself when memory is short. */
  evicts = false
  /** Why no connection works, until one does. */
  failure: Error | undefined
  /** Whether a call that a broken connection left without an answer is to be sent again: the client itself does not. */
  abstract readonly repeats: boolean
  #offset = 0
  // Not from 0: what another process was answered has other numbers. V8 counts small ones the fastest.
  #number = Math.floor(Math.random() * 2 ** 29)
  readonly #waiters = new Set<Waiter>()

  constructor(client: RedisClient) {
    this.client = client
  }

  /** A call begins. */
  hold(): void {}

  /** A call has ended. */
  release(): void {}

  /** How long calls take at most from now on, in milliseconds. */
  limit(_timeLimit: number): void {}

  close(): void {}

  /** Sees to it that a connection is made, where there is none, and checked. Throws where that is hopeless for now. */
  protected abstract reach(): void

  /** Fulfils when commands can be sent; rejects when they cannot, at the latest at `until` (as `timers.uptime` has it). */
  whenUsable(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.reach()
      const end = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        go() {
          end()
          resolve()
        },
        fail(error) {
          end()
          reject(error)
        },
      }
      const late = () => waiter.fail(this.failure ?? new Error('there was no connection in time'))
      const timer = setTimeout(late, Math.max(0, until - uptime()))
      this.#waiters.add(waiter)
    })
  }

  /** The server's time that it will be at `at` (as `timers.uptime` has it), as 16 digits. */
  timeAt(at: number): string {
    return digits(Math.ceil(at + this.#offset))
  }

  /** A number that tells one answer from another. */
  nextNumber(): number {
    return ++this.#number
  }

  /** Asks for the server's time, in epoch milliseconds. */
  async time(): Promise<number> {
    const sent = uptime()
    const time = toTime(await this.client.call('TIME'))
    // Any node of a cluster may have answered.
    if (!this.client.isCluster) this.#offset = time - sent
    return time
  }

  /** Has the clock of the server measured again before anything else is sent. */
  forget(): void {
    this.isUsable = false
  }

  /**
   * After an answer that does not fit its command: asks each connection whether its answers belong to other commands,
   * and closes those of which they do. Rejects then; fulfils where all are in step.
   */
  async checkStep(timeLimit: number): Promise<void> {
    const nodes: readonly RedisNode[] = this.client.nodes?.('master') ?? [this.client]
    const inStep = await Promise.all(
      nodes.map(async (node) => {
        const { stream } = node
        const text = randomUUID()
        if ((await inTime(node.call('ECHO', text), timeLimit * STEP_SHARE)) === text) return true
        stream?.destroy?.(new Error('Redis answered another command'))
        return false
      }),
    )
    if (inStep.includes(false)) throw misplaced()
  }

  /** Rejects, after an answer that belongs to another command for sure. */
  async refuseAnswer(timeLimit: number): Promise<never> {
    await this.checkStep(timeLimit)
    throw misplaced()
  }

  protected get hasWaiters(): boolean {
    return this.#waiters.size > 0
  }

  /** Commands can be sent from now on. */
  protected admit(inspections: readonly Inspection[]): void {
    // A script must run on each node of a cluster: the clock that is ahead decides.
    this.#offset = Math.max(...inspections.map(({ offset }) => offset))
    const evictions = inspections.flatMap(({ eviction }) => eviction ?? [])
    this.evicts = evictions.length > 0
    if (this.evicts) warnOfEviction(evictions[0]!)
    this.failure = undefined
    this.isUsable = true
    for (const waiter of this.#waiters) waiter.go()
  }

  /** A node has joined a cluster that is in use. */
  protected admitNode({ offset, eviction }: Inspection): void {
    this.#offset = Math.max(this.#offset, offset)
    if (eviction === undefined) return
    this.evicts = true
    warnOfEviction(eviction)
  }

  /** Nothing can be sent for now. */
  protected turnAway(error: unknown): void {
    for (const waiter of this.#waiters) waiter.fail(error)
  }

  /** Selects the database and looks at the server. Rejects where the database cannot be selected. */
  protected async inspect(node: RedisNode, database: number | undefined): Promise<Inspection> {
    const sent = uptime()
    // Clients go on with database 0 where they cannot select the one that they were given.
    const [, time, memory] = await Promise.all([
      database ? node.call('SELECT', database) : undefined,
      node.call('TIME'),
      node.call('INFO', 'memory').catch(() => ''),
    ])
    return { offset: toTime(time) - sent, eviction: evictionOf(`${memory}`) }
  }
}

const misplaced = (): Error =>
  new SessionStoreError('UNAVAILABLE', 'Redis gave an answer that belongs to another command')

/** Epoch milliseconds from what TIME answers. Throws where it is something else. */
function toTime(answer: unknown): number {
  const [seconds, microseconds] = Array.isArray(answer) ? answer : []
  const time = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
  if (!(time > 0)) throw new Error('Redis gave no time')
  return time
}

/** The policy of a server that removes keys which nobody asked it to remove. */
function evictionOf(memory: string): string | undefined {
  const max = /^maxmemory:(\d+)/m.exec(memory)?.[1] ?? '0'
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'noeviction'
  return max === '0' || policy === 'noeviction' ? undefined : policy
}

let hasWarned = false

function warnOfEviction(policy: string): void {
  if (hasWarned) return
  hasWarned = true
  process.emitWarning(
    `Redis removes keys when its memory is short (maxmemory-policy ${policy}): users are logged out early, and ` +
      'listing the sessions of one user has to walk over all sessions. Set maxmemory-policy to noeviction.',
    'SessionStoreWarning',
  )
}

/** The answer, or nothing if it does not come within `ms` milliseconds. */
async function inTime<T>(answer: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
