import { isThenable } from '../dispatch/settle.ts'
import type { Awaitable, Driver, ListQuery, Page, Row, Touch, Write } from '../driver.ts'
import type { Near } from './near.ts'

/**
 * A driver that tells `Near` of every change which this store makes, whichever call makes it, and
 * however late its answer comes. Core learns of an answer after `Near` does.
 */
export class NearDriver implements Driver {
  readonly name: string
  readonly place: string
  readonly #driver: Driver
  readonly #near: Near

  constructor(driver: Driver, near: Near) {
    this.name = driver.name
    this.place = driver.place
    this.#driver = driver
    this.#near = near
  }

  write(writes: readonly Write[], now: number): Awaitable<string[]> {
    const near = this.#near
    if (!near.isOn) return this.#driver.write(writes, now)
    const changes = writes.map(({ key }) => near.begin(key))
    return watch(
      () => this.#driver.write(writes, now),
      (landed) => {
        const all = landed?.length === writes.length
        writes.forEach((write, i) => {
          near.written(write, changes[i]!, all || landed?.includes(write.key) === true)
        })
      },
    )
  }

  touch(touches: readonly Touch[], now: number): Awaitable<void> {
    const near = this.#near
    if (!near.isOn) return this.#driver.touch(touches, now)
    const changes = touches.map(({ key }) => near.begin(key))
    return watch(
      () => this.#driver.touch(touches, now),
      (_, isAnswered) => {
        touches.forEach((touch, i) => {
          near.touched(touch, changes[i]!, now, isAnswered)
        })
      },
    )
  }

  clear(signal?: AbortSignal): Awaitable<void> {
    return watch(
      () => this.#driver.clear(signal),
      () => this.#near.forgetAll(),
    )
  }

  setup(timeLimit?: number): Awaitable<void> {
    return this.#driver.setup(timeLimit)
  }

  read(keys: readonly string[]): Awaitable<Row[]> {
    return this.#driver.read(keys)
  }

  list(query: ListQuery): Awaitable<Page> {
    return this.#driver.list(query)
  }

  count(now: number): Awaitable<number> {
    return this.#driver.count(now)
  }

  prune(before: number, limit: number): Awaitable<number> {
    return this.#driver.prune(before, limit)
  }

  ping(): Awaitable<number> {
    return this.#driver.ping()
  }

  close(): Awaitable<void> {
    return this.#driver.close()
  }
}

/** Calls `ended` once the call has been answered, with its value where it has not failed. */
function watch<T>(
  call: () => Awaitable<T>,
  ended: (value: T | undefined, isAnswered: boolean) => void,
): Awaitable<T> {
  let value: Awaitable<T>
  try {
    value = call()
  } catch (error) {
    ended(undefined, false)
    throw error
  }
  if (!isThenable(value)) {
    ended(value, true)
    return value
  }
  return Promise.resolve(value).then(
    (answer) => {
      ended(answer, true)
      return answer
    },
    (error) => {
      ended(undefined, false)
      throw error
    },
  )
}
