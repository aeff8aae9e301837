import { expect, vi } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import { plain } from './plain.ts'

/** Asks again until it does not fail. */
export const until = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 30_000, interval: 10 })

const verbs = ['get', 'set', 'touch', 'destroy'] as const

/** Several hundred calls at once, all the time, each with a session of its own. */
export class Load {
  readonly succeeded = { get: 0, set: 0, touch: 0, destroy: 0 }
  readonly failed: Record<string, number> = {}
  /** The longest time that a call took, in milliseconds. */
  longest = 0
  /** How many callbacks came for a call that had one already. */
  surplus = 0
  #store: RedisStore
  #calls = 0
  #open = 0
  #on = true

  constructor(store: RedisStore) {
    this.#store = store
    for (let i = 0; i < 400; i++) this.#call()
  }

  failures(): number {
    return Object.values(this.failed).reduce((sum, count) => sum + count, 0)
  }

  /** The codes of failures that no outage explains. */
  unexpected(): string[] {
    return Object.keys(this.failed).filter((code) => code !== 'UNAVAILABLE' && code !== 'TIMEOUT')
  }

  /** Ends when all calls have. */
  async stop(): Promise<void> {
    this.#on = false
    await until(() => expect(this.#open).toBe(0))
  }

  #call(): void {
    if (!this.#on) return
    const verb = verbs[this.#calls % verbs.length]!
    const id = `id-${Math.floor(this.#calls++ / verbs.length) % 1000}`
    const start = performance.now()
    let answered = false
    this.#open++
    const callback = (error: unknown): void => {
      if (answered) this.surplus++
      if (answered) return
      answered = true
      this.#open--
      this.longest = Math.max(this.longest, performance.now() - start)
      if (error === null) this.succeeded[verb]++
      else {
        const code = String((error as { code?: unknown }).code)
        this.failed[code] = (this.failed[code] ?? 0) + 1
      }
      setImmediate(() => this.#call())
    }
    if (verb === 'get' || verb === 'destroy') this.#store[verb](id, callback)
    else this.#store[verb](id, plain({ id, more: 'x'.repeat(300) }), callback)
  }
}

/** Calls of every verb succeed from now on. */
export async function works({ succeeded }: Load): Promise<void> {
  const before = { ...succeeded }
  await until(() => {
    for (const verb of verbs) expect(succeeded[verb]).toBeGreaterThan(before[verb] + 500)
  })
}
