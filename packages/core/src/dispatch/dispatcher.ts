import type { Awaitable, Driver, Row, Touch, Write } from '../driver.ts'
import { backendError, SessionStoreError, UncertainWriteError } from '../errors.ts'
import { type CallEvent, events } from '../events.ts'
import { Batch, type Entry } from './batch.ts'
import { type Done, deliver, settle } from './settle.ts'
import { clearTimeout, setTimeout, uptime } from './timers.ts'

/**
 * What is asked about a key, and by whom. Of what there is one for each call, all is of a class, here and in the rest
 * of core: from literals that live a while, as they do under a burst, V8 learns to allocate all later ones as old, and
 * there they keep younger garbage alive until its next full collection. That has cost a third of the calls a second.
 */
class Question<T, A> implements Entry {
  readonly key: string
  readonly size: number
  readonly at: number = uptime()
  /** What is sent. */
  sent: T
  /** The call that asks, where nobody else may: if it was answered meanwhile, nothing is sent. */
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

  /** Answers this one, too. */
  share(done: Done<A>): void {
    this.#others ??= []
    this.#others.push(done)
  }

  /** One that fails to take its answer takes nobody else's with it. */
  answer(error: unknown, value?: A): void {
    deliver(this.#done, error, value)
    if (this.#others) for (const done of this.#others) deliver(done, error, value)
  }
}

/** A call of the application. */
interface Asker {
  /** It was answered, by the end of its time for instance. */
  readonly done: boolean
}

interface DriverCall {
  verb: string
  /** How many sessions it is about. */
  size?: number
  /** Milliseconds; `operationTimeout` unless told otherwise. */
  timeout?: number
  /** Called when the driver has answered, however late, without an error or with one. */
  ended?: (isAnswered: boolean) => void
  /** Called before that if it was too late. */
  lost?: () => void
}

/** A driver behind its batches: one row at a time in, arrays out; every call ends within the timeout. */
export class Backend {
  readonly driver: Driver
  #timeout: number
  #ready = false
  #setup: Promise<void> | undefined

  readonly #reads: Batch<Question<undefined, Row>>
  readonly #writes: Batch<Question<Write, boolean>>
  readonly #touches: Batch<Question<Touch, void>>

  constructor(driver: Driver, timeout: number, now: () => number) {
    this.driver = driver
    this.#timeout = timeout
    const time = lastingClock(now)
    const late = new SessionStoreError(
      'TIMEOUT',
      `the call waited ${timeout} ms for the ${driver.name} driver`,
    )

    this.#reads = new Batch(
      timeout,
      (entry) => entry.answer(late),
      (entries, ended, lost) => {
        this.#call(
          { verb: 'read', size: entries.size, ended, lost },
          () => driver.read(sortedKeys(entries)),
          (error, rows) => {
            for (const row of rows ?? []) {
              const entry = entries.get(row.key)
              if (entry === undefined) continue
              entries.delete(row.key)
              entry.answer(null, row)
            }
            for (const entry of entries.values()) entry.answer(error)
          },
        )
      },
    )
    this.#writes = new Batch(
      timeout,
      (entry) => entry.answer(late),
      (entries, ended, lost) => {
        for (const entry of entries.values()) {
          if (entry.owner?.done !== true) continue
          // Whoever called was told that it failed: it must not find it done later.
          entries.delete(entry.key)
          entry.answer(late)
        }
        if (entries.size === 0) return ended(false)
        const writes = sortedKeys(entries).map((key) => entries.get(key)!.sent)
        this.#call(
          { verb: 'write', size: entries.size, ended, lost },
          () => driver.write(writes, time()),
          (error, landed) => {
            if (landed?.length === entries.size) {
              for (const entry of entries.values()) entry.answer(null, true)
              return
            }
            const some = new Set(error instanceof UncertainWriteError ? error.landed : landed)
            for (const entry of entries.values()) {
              const isThere = some.has(entry.key)
              entry.answer(isThere ? null : error, isThere)
            }
          },
        )
      },
    )
    this.#touches = new Batch(
      timeout,
      (entry) => entry.answer(late),
      (entries, ended, lost) => {
        const touches = sortedKeys(entries).map((key) => entries.get(key)!.sent)
        this.#call(
          { verb: 'touch', size: entries.size, ended, lost },
          () => driver.touch(touches, time()),
          (error) => {
            for (const entry of entries.values()) entry.answer(error)
          },
        )
      },
    )
  }

  /** The row, or nothing. Reads that still wait share one; a read that is sent is never shared: its answer may be older than the call. */
  read(key: string, answer: Done<Row>): void {
    const waiting = this.#reads.waiting(key)
    if (waiting) waiting.share(answer)
    else this.#reads.add(new Question(key, 0, undefined, answer))
  }

  /** Answers whether it landed. Core keeps the writes of one key apart (order.ts). Not sent once `owner` is answered. */
  write(write: Write, answer: Done<boolean>, owner?: Asker): void {
    const size = write.data === null ? 0 : write.data.length
    this.#writes.add(new Question(write.key, size, write, answer, owner))
  }

  /** Touches of one version of a session that still wait become one, the last. */
  touch(touch: Touch, answer: Done<void>): void {
    const waiting = this.#touches.waiting(touch.key)
    if (waiting) {
      // Which version is the newer one only the database knows: the other touch follows.
      if (waiting.sent.tag !== touch.tag)
        return waiting.share((error) => (error == null ? this.touch(touch, answer) : answer(error)))
      waiting.sent = touch
      waiting.share(answer)
    } else this.#touches.add(new Question(touch.key, 0, touch, answer))
  }

  /** Any other verb, as a promise; `timeout` in milliseconds. */
  run<T>(verb: string, produce: () => Awaitable<T>, timeout: number = this.#timeout): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer: Done<T> = (error, value) => (error == null ? resolve(value as T) : reject(error))
      this.#call({ verb, timeout }, produce, answer)
    })
  }

  /** Closes the driver, after the set-up that may still be on its way. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      const close = async () => {
        await this.#setup?.catch(noop)
        await this.driver.close()
      }
      this.#run({ verb: 'close' }, close, (error) => (error == null ? resolve() : reject(error)))
    })
  }

  /** A call of the driver, after its set-up. */
  #call<T>(how: DriverCall, produce: () => Awaitable<T>, answer: Done<T>): void {
    this.#run(how, this.#ready ? produce : () => this.#whenReady().then(produce), answer)
  }

  #run<T>(
    { verb, size = 0, timeout = this.#timeout, ended, lost }: DriverCall,
    produce: () => Awaitable<T>,
    answer: Done<T>,
  ): void {
    const { name } = this.driver
    const start = events.call.hasSubscribers ? uptime() : 0
    let timer: NodeJS.Timeout | undefined
    let isAnswered = false
    const finish = (failure: unknown, value?: T): void => {
      if (isAnswered) return
      isAnswered = true
      clearTimeout(timer)
      const error = failure == null ? null : backendError(name, failure)
      // Another database may be in its place, or what set-up made was dropped: the next call sets up again.
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
    timer = setTimeout(() => {
      lost?.()
      // A set-up that hangs must not hold up the next try.
      if (!this.#ready) this.#setup = undefined
      finish(new SessionStoreError('TIMEOUT', `the ${name} driver gave no answer within ${timeout} ms`))
    }, timeout).unref()
  }

  /** One set-up at a time; one that failed is tried again by the next call. */
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
 * The clock, for many calls at once: where it throws, the time that it told last, so that the one call whose clock
 * fails (each asks it before) fails alone.
 */
function lastingClock(now: () => number): () => number {
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

const sortedKeys = (entries: Map<string, Entry>): string[] => [...entries.keys()].sort()
