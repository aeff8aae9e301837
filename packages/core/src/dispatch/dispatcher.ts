import type { Awaitable, Driver, Row, Touch, Write } from '../driver.ts'
import { SessionStoreError, toDriverError, UncertainWriteError } from '../errors.ts'
import { type CallEvent, events } from '../events.ts'
import { Batch, type Entry, type Send } from './batch.ts'
import { type Done, deliver, settle, toPromise } from './settle.ts'
import { TimeLimit, type Wait } from './time-limit.ts'
import { uptime } from './timers.ts'

/**
 * A request for one key, and everyone who waits for its answer. It is a class because objects that
 * live through a burst must not be literals: see docs/decisions/0005-classes-on-the-hot-path.md.
 */
class PendingRequest<T, A> implements Entry {
  readonly key: string
  readonly size: number
  readonly at: number = uptime()
  /** What is sent to the driver. */
  sent: T
  /**
   * The call that asks, where no other call may share the answer. If it has been answered, nothing
   * is sent.
   */
  readonly owner: Asker | undefined
  readonly #done: Done<A>
  #others: Done<A>[] | undefined

  constructor(key: string, size: number, sent: T, done: Done<A>, owner?: Asker) {
    this.key = key
    this.size = size
    this.sent = sent
    this.owner = owner
    this.#done = done
  }

  /** Adds another callback for the same answer. */
  share(done: Done<A>): void {
    this.#others ??= []
    this.#others.push(done)
  }

  /** Calls every callback. One that throws does not keep the answer from the others. */
  answer(error: unknown, value?: A): void {
    deliver(this.#done, error, value)
    if (this.#others) for (const done of this.#others) deliver(done, error, value)
  }
}

/** A call of the application. */
interface Asker {
  /** Whether the call has been answered, for instance because its time was up. */
  readonly done: boolean
}

interface DriverCall {
  verb: string
  /** How many sessions the call is about. */
  size?: number
  /** Milliseconds. Default: `operationTimeout`. */
  timeout?: number
  /** Called when the driver has answered, however late, with or without an error. */
  ended?: (isAnswered: boolean) => void
  /** Called before `ended` if the driver did not answer in time. */
  lost?: () => void
}

/**
 * Calls the driver: collects single requests into batches, and ends every call within its timeout.
 */
export class Dispatcher {
  readonly driver: Driver
  #timeout: number
  readonly #limit: TimeLimit
  #ready = false
  #setup: Promise<void> | undefined

  readonly #reads: Batch<PendingRequest<undefined, Row>>
  readonly #writes: Batch<PendingRequest<Write, boolean>>
  /** Writes outside the order of their key's calls. A key of them may be in `#writes`, too. */
  readonly #asides: Batch<PendingRequest<Write, boolean>>
  readonly #touches: Batch<PendingRequest<Touch, void>>

  /**
   * `timeout` is `operationTimeout`, in milliseconds; `now` is the clock, in epoch milliseconds.
   */
  constructor(driver: Driver, timeout: number, now: () => number) {
    this.driver = driver
    this.#timeout = timeout
    this.#limit = new TimeLimit(timeout)
    const time = withLastTime(now)
    const late = new SessionStoreError(
      'TIMEOUT',
      `the call waited ${timeout} ms for the ${driver.name} driver`,
    )
    const expire = (request: { answer(error: unknown): void }): void => request.answer(late)

    this.#reads = new Batch<PendingRequest<undefined, Row>>(timeout, expire, (requests, ended, lost) => {
      this.#call(
        { verb: 'read', size: requests.size, ended, lost },
        () => driver.read(sortedKeys(requests)),
        (error, rows) => {
          for (const row of rows ?? []) {
            const request = requests.get(row.key)
            if (request === undefined) continue
            requests.delete(row.key)
            request.answer(null, row)
          }
          for (const request of requests.values()) request.answer(error)
        },
      )
    })
    const dropGivenUp = (requests: Map<string, PendingRequest<Write, boolean>>): void => {
      for (const request of requests.values()) {
        if (request.owner?.done !== true) continue
        // The caller was told that the write failed, so it must not take effect later.
        requests.delete(request.key)
        request.answer(late)
      }
    }
    const sendWrites: Send<PendingRequest<Write, boolean>> = (requests, ended, lost) => {
      dropGivenUp(requests)
      if (requests.size === 0) return ended(false)
      const waitsForSetup = !this.#ready
      const write = (): Awaitable<string[]> => {
        if (waitsForSetup) dropGivenUp(requests)
        const writes = sortedKeys(requests).map((key) => requests.get(key)!.sent)
        return writes.length === 0 ? [] : driver.write(writes, time())
      }
      this.#call({ verb: 'write', size: requests.size, ended, lost }, write, (error, landed) => {
        if (landed?.length === requests.size) {
          for (const request of requests.values()) request.answer(null, true)
          return
        }
        const some = new Set(error instanceof UncertainWriteError ? error.landed : landed)
        for (const request of requests.values()) {
          const hasLanded = some.has(request.key)
          request.answer(hasLanded ? null : error, hasLanded)
        }
      })
    }
    this.#writes = new Batch(timeout, expire, sendWrites)
    this.#asides = new Batch(timeout, expire, sendWrites)
    this.#touches = new Batch<PendingRequest<Touch, void>>(timeout, expire, (requests, ended, lost) => {
      const touches = sortedKeys(requests).map((key) => requests.get(key)!.sent)
      this.#call(
        { verb: 'touch', size: requests.size, ended, lost },
        () => driver.touch(touches, time()),
        (error) => {
          for (const request of requests.values()) request.answer(error)
        },
      )
    })
  }

  /**
   * Answers with the row, or with nothing. Reads that are not sent yet share one request. A read
   * that was sent is never shared, because its answer may be older than the later call.
   */
  read(key: string, answer: Done<Row>): void {
    const waiting = this.#reads.waiting(key)
    if (waiting) waiting.share(answer)
    else this.#reads.add(new PendingRequest(key, 0, undefined, answer))
  }

  /**
   * Answers with whether the write landed. `Order` keeps the writes of one key apart. The write is
   * not sent once `owner` has been answered.
   */
  write(write: Write, answer: Done<boolean>, owner?: Asker): void {
    const size = write.data === null ? 0 : write.data.length
    this.#writes.add(new PendingRequest(write.key, size, write, answer, owner))
  }

  /**
   * Writes outside the order of the calls of its key, where only the database decides which write
   * lands. Answers with whether it landed.
   */
  writeAside(write: Write, answer: Done<boolean>, owner?: Asker): void {
    const waiting = this.#asides.waiting(write.key)
    if (waiting) return waiting.share(() => this.writeAside(write, answer, owner))
    const size = write.data === null ? 0 : write.data.length
    this.#asides.add(new PendingRequest(write.key, size, write, answer, owner))
  }

  /** Touches of one version of a session that are not sent yet become one: the last of them. */
  touch(touch: Touch, answer: Done<void>): void {
    const waiting = this.#touches.waiting(touch.key)
    if (waiting) {
      // Only the database knows which version is newer, so the other touch follows this one.
      if (waiting.sent.tag !== touch.tag)
        return waiting.share((error) => (error == null ? this.touch(touch, answer) : answer(error)))
      waiting.sent = touch
      waiting.share(answer)
    } else this.#touches.add(new PendingRequest(touch.key, 0, touch, answer))
  }

  /** Calls any other verb of the driver. `timeout` is in milliseconds. */
  run<T>(verb: string, produce: () => Awaitable<T>, timeout: number = this.#timeout): Promise<T> {
    return toPromise((answer) => this.#call({ verb, timeout }, produce, answer))
  }

  /** Closes the driver, after a set-up that may still be running. */
  close(): Promise<void> {
    const close = async () => {
      await this.#setup?.catch(noop)
      await this.driver.close()
    }
    return toPromise((answer) => this.#run({ verb: 'close' }, close, answer))
  }

  /** Calls the driver after its set-up. */
  #call<T>(how: DriverCall, produce: () => Awaitable<T>, answer: Done<T>): void {
    if (this.#ready) return this.#run(how, produce, answer)
    let isAnswered = false
    const produceWhenReady = async (): Promise<T> => {
      await this.#whenReady()
      // The callers were told that the call failed, so it must not take effect later.
      if (isAnswered) throw new SessionStoreError('TIMEOUT', 'the set-up took too long')
      return produce()
    }
    this.#run(how, produceWhenReady, (error, value) => {
      isAnswered = true
      answer(error, value)
    })
  }

  #run<T>(
    { verb, size = 0, timeout = this.#timeout, ended, lost }: DriverCall,
    produce: () => Awaitable<T>,
    answer: Done<T>,
  ): void {
    const { name } = this.driver
    const start = events.call.hasSubscribers ? uptime() : 0
    const limit = timeout === this.#timeout ? this.#limit : new TimeLimit(timeout)
    let wait: Wait | undefined
    let isAnswered = false
    const finish = (failure: unknown, value?: T): void => {
      if (isAnswered) return
      isAnswered = true
      if (wait !== undefined) limit.end(wait)
      const error = failure == null ? null : toDriverError(name, failure)
      // Another database may be in its place, or a table was dropped, so the next call sets up
      // again.
      if (error?.code === 'BAD_STORAGE') this.#ready = false
      if (events.call.hasSubscribers) {
        const duration = uptime() - start
        events.call.publish({ driver: name, verb, size, duration, error } satisfies CallEvent)
      }
      answer(error, value)
    }
    settle(produce, (failure, value) => {
      ended?.(failure == null)
      finish(failure, value)
    })
    if (isAnswered) return
    wait = limit.begin(() => {
      lost?.()
      // A set-up that hangs must not hold up the next attempt.
      if (!this.#ready) this.#setup = undefined
      finish(new SessionStoreError('TIMEOUT', `the ${name} driver gave no answer within ${timeout} ms`))
    })
  }

  /** Runs one set-up at a time. After a failed set-up the next call tries again. */
  #whenReady(): Promise<void> {
    this.#setup ??= Promise.resolve()
      .then(() => this.driver.setup(this.#timeout))
      .then(
        () => {
          this.#setup = undefined
          this.#ready = true
        },
        (error) => {
          this.#setup = undefined
          throw error
        },
      )
    return this.#setup
  }
}

/**
 * Returns a clock that gives the last time again where `now` throws. A batch serves many calls, and
 * each of them has asked the clock already, so only the call whose own question failed may fail.
 */
function withLastTime(now: () => number): () => number {
  let last: number | undefined
  return () => {
    try {
      last = now()
    } catch (error) {
      if (last === undefined) throw error
    }
    return last
  }
}

const noop = (): void => {}

const sortedKeys = (requests: Map<string, Entry>): string[] => [...requests.keys()].sort()
