import { randomUUID } from 'node:crypto'
import { SessionStoreError, timers } from '@session-stores/core'
import type { RedisClient, RedisNode } from './client.ts'
import { isFault, isReply } from './errors.ts'
import { digits } from './row.ts'

const { clearTimeout, setTimeout, uptime } = timers

/**
 * Errors with which Redis refuses a whole script before it has done anything. Where memory is full,
 * a script for one key may still free some.
 */
const REFUSED = /^(OOM|READONLY|MISCONF|NOREPLICAS|CLUSTERDOWN|LOADING|MASTERDOWN|BUSY|MOVED|ASK|TRYAGAIN)\b/
/** Redis 6 cannot compile the line with the flags of a script. */
const UNKNOWN_FLAG = /Error compiling script|Unexpected flag in script shebang|Unexpected engine in script/

/** What the check of a connection has learned about its server. */
export interface Inspection {
  /** By how many milliseconds the server's clock is ahead of `uptime()`. */
  readonly offset: number
  /**
   * The policy by which the server evicts keys, or `undefined` where it evicts none or is silent.
   */
  readonly eviction: string | undefined
}

/** A call that waits until commands can be sent. */
interface Waiter {
  go(): void
  fail(error: unknown): void
}

/**
 * The share of the time limit in which a connection is made and checked, and after which a silent
 * connection counts as dead.
 */
export const CONNECT_SHARE = 0.6
/** The share of the time limit after which no call that waits for a connection is sent any more. */
export const WAIT_SHARE = 0.8
/** The share of the time limit in which a connection must show that it is in step. */
const STEP_SHARE = 0.2

/**
 * A client, and what the driver has to know before it sends anything: whether each connection was
 * checked since it was made, and the server's clock.
 */
export abstract class Link {
  readonly client: RedisClient
  /** Whether commands can be sent: there is a connection, and it was checked. */
  isUsable = false
  /** How many connections have broken. */
  breaks = 0
  /** Whether a server evicts keys when its memory is short. */
  evicts = false
  /** Whether the masters of a cluster run scripts over keys of several slots, as Redis 7 does. */
  crossesSlots = true
  /** Why no connection works, until one does. */
  failure: Error | undefined
  /** Whether the driver resends a call that a broken connection left unanswered. */
  abstract readonly resends: boolean
  /** What the client puts before the keys of the application, so that the driver has to do so. */
  get keyPrefix(): string {
    return ''
  }
  #offset = 0
  // The numbers begin at random, so that answers of other processes have other numbers. They begin
  // below 2 ** 29, because V8 counts small numbers the fastest.
  #number = Math.floor(Math.random() * 2 ** 29)
  readonly #waiters = new Set<Waiter>()

  constructor(client: RedisClient) {
    this.client = client
  }

  /** Says that a call begins. */
  hold(): void {}

  /** Says that a call has ended. */
  release(): void {}

  /** Sets how long calls take at most from now on, in milliseconds. */
  limit(_timeLimit: number): void {}

  close(): void {}

  /**
   * Makes a connection where there is none, and checks it. Throws where that is hopeless for now.
   */
  protected abstract reach(): void

  /**
   * Fulfils when commands can be sent. Rejects when they cannot, at the latest at `until`.
   *
   * @param until as `uptime()` has it
   */
  waitUntilUsable(until: number): Promise<void> {
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
      const onTimeout = () => waiter.fail(this.failure ?? new Error('there was no connection in time'))
      const timer = setTimeout(onTimeout, Math.max(0, until - uptime()))
      this.#waiters.add(waiter)
    })
  }

  /**
   * Returns what the server's clock will say at a time, as text for scripts.
   *
   * @param at as `uptime()` has it
   */
  serverTimeAt(at: number): string {
    return digits(Math.ceil(at + this.#offset))
  }

  /** Returns a number by which a script's answer is told from others. */
  nextNumber(): number {
    return ++this.#number
  }

  /** Reads the server's clock, in epoch milliseconds. */
  async readClock(): Promise<number> {
    const sent = uptime()
    const time = toTime(await this.client.call('TIME'))
    // In a cluster, any node may have answered.
    if (!this.client.isCluster) this.#offset = time - sent
    return time
  }

  /** Has the connection checked, and the server's clock read, before anything else is sent. */
  recheck(): void {
    this.isUsable = false
  }

  /**
   * Whether the rows of a group's script that failed on its master may be sent again by their keys:
   * the master refused the whole script, or the connection broke and nobody else sends again.
   */
  mayAskAgain(error: Error): boolean {
    if (isReply(error)) {
      if (UNKNOWN_FLAG.test(error.message)) this.crossesSlots = false
      return !this.crossesSlots || REFUSED.test(error.message)
    }
    if (this.resends || error instanceof SessionStoreError || isFault(error)) return false
    // As after any other break, nobody knows whether a write that is refused now has landed before.
    this.breaks++
    return true
  }

  /**
   * Checks after an answer that does not fit its command: closes the connections whose answers
   * belong to other commands, and rejects then. Fulfils where all connections are in step.
   *
   * @throws UNAVAILABLE
   */
  async checkStep(timeLimit: number): Promise<void> {
    const nodes: readonly RedisNode[] = this.client.nodes?.('master') ?? [this.client]
    const inStep = await Promise.all(
      nodes.map(async (node) => {
        const { stream } = node
        const text = randomUUID()
        if ((await waitAtMost(node.call('ECHO', text), timeLimit * STEP_SHARE)) === text) return true
        stream?.destroy?.(new Error('Redis answered another command'))
        return false
      }),
    )
    if (inStep.includes(false)) throw toStepError()
  }

  /**
   * Rejects after an answer that certainly belongs to another command.
   *
   * @throws UNAVAILABLE
   */
  async refuseAnswer(timeLimit: number): Promise<never> {
    await this.checkStep(timeLimit)
    throw toStepError()
  }

  protected get hasWaiters(): boolean {
    return this.#waiters.size > 0
  }

  /** Lets calls through from now on. */
  protected admit(inspections: readonly Inspection[]): void {
    // A script must not be too late for any node of a cluster, so the clock that is ahead counts.
    this.#offset = Math.max(...inspections.map(({ offset }) => offset))
    const evictions = inspections.flatMap(({ eviction }) => eviction ?? [])
    this.evicts = evictions.length > 0
    if (this.evicts) warnOfEviction(evictions[0]!)
    this.failure = undefined
    this.isUsable = true
    for (const waiter of this.#waiters) waiter.go()
  }

  /** Takes note of a node that has joined a cluster in use. */
  protected admitNode({ offset, eviction }: Inspection): void {
    this.#offset = Math.max(this.#offset, offset)
    if (eviction === undefined) return
    this.evicts = true
    warnOfEviction(eviction)
  }

  /** Lets all waiting calls fail, because nothing can be sent for now. */
  protected turnAway(error: unknown): void {
    for (const waiter of this.#waiters) waiter.fail(error)
  }

  /**
   * Selects the database and looks at the server. Rejects where the database cannot be selected.
   */
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

const toStepError = (): Error =>
  new SessionStoreError('UNAVAILABLE', 'Redis gave an answer that belongs to another command')

/**
 * Turns the answer of `TIME` into epoch milliseconds. Throws where the answer is something else.
 */
function toTime(answer: unknown): number {
  const [seconds, microseconds] = Array.isArray(answer) ? answer : []
  const time = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
  if (!(time > 0)) throw new Error('Redis gave no time')
  return time
}

/** Returns the policy of a server that evicts keys, from what `INFO memory` answers. */
function evictionOf(memory: string): string | undefined {
  const max = /^maxmemory:(\d+)/m.exec(memory)?.[1] ?? '0'
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'noeviction'
  return max === '0' || policy === 'noeviction' ? undefined : policy
}

let hasWarned = false

/** Emits the warning once per process. */
function warnOfEviction(policy: string): void {
  if (hasWarned) return
  hasWarned = true
  process.emitWarning(
    `Redis removes keys when its memory is short (maxmemory-policy ${policy}): users are logged out early, and ` +
      'listing the sessions of one user has to walk over all sessions. Set maxmemory-policy to noeviction.',
    { type: 'SessionStoresWarning', code: 'SESSION_STORES_EVICTION' },
  )
}

/** Returns the answer, or `undefined` if none comes within so many milliseconds. */
async function waitAtMost<T>(answer: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined)
  })
  try {
    return await Promise.race([answer, timeout])
  } finally {
    clearTimeout(timer)
  }
}
