import { inspect } from 'node:util'
import type { Store } from 'express-session'

/** What was done to the stores of one rule, as lines of code: the smallest way to see again what it saw. */
export class Trace {
  readonly #lines: { text: string; id?: unknown }[] = []
  readonly #added: ((line: string) => void) | undefined
  #kept: readonly string[] | undefined

  /** `added` is called with each line before it is executed. */
  constructor(added?: (line: string) => void) {
    this.#added = added
  }

  get lines(): readonly string[] {
    const kept = this.#kept
    return this.#lines
      .filter(({ id }) => !kept || typeof id !== 'string' || kept.includes(id))
      .map(({ text }) => text)
  }

  add(text: string): void {
    this.#add({ text })
  }

  /** Of many sessions, each with a fate of its own, leaves those that show what went wrong. */
  keep(...ids: readonly string[]): void {
    this.#kept = ids
  }

  /** Time that the suite let pass on purpose. */
  passed(ms: number): void {
    this.add(`// ${ms} ms later`)
  }

  /** The same store, whose calls are written down. Its own calls of itself are not. */
  follow<S extends Store>(store: S, name: string): S {
    const trace = this
    return new Proxy(store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        if (!traced.has(property)) return value.bind(target)
        return (...args: unknown[]) => trace.#call(target, name, String(property), value as never, args)
      },
      set: (target, property, value) => Reflect.set(target, property, value, target),
    })
  }

  #add(line: { text: string; id?: unknown }): void {
    this.#added?.(line.text)
    this.#lines.push(line)
  }

  #call(
    store: Store,
    name: string,
    method: string,
    body: (...args: never) => unknown,
    args: unknown[],
  ): unknown {
    const callback = args.findLastIndex((arg) => typeof arg === 'function')
    const shown = args.filter((_, i) => i !== callback).map(show)
    const line = { text: `${name}.${method}(${shown.join(', ')})`, id: args[0] }
    this.#add(line)
    const note = (text: string): void => {
      line.text += ` // ${text}`
    }
    if (callback >= 0) {
      const given = args[callback] as (...answer: unknown[]) => unknown
      args = args.with(callback, (...answer: unknown[]) => {
        note(`calls back (${answer.map(show).join(', ')})`)
        return given(...answer)
      })
    }
    try {
      return body.apply(store, args as never)
    } catch (error) {
      note(`throws ${show(error)}`)
      throw error
    }
  }
}

const traced = new Set<PropertyKey>(['get', 'set', 'touch', 'destroy', 'all', 'length', 'clear', 'ids'])

function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`.split('\n', 1)[0]!.slice(0, 200)
  // As express-session shows it to a store: the request and the functions are no part of it.
  let plain = value
  if (typeof value === 'object' && value !== null) {
    try {
      plain = JSON.parse(JSON.stringify(value))
    } catch {
      // Shown as it is: a rule may store what JSON cannot hold.
    }
  }
  return inspect(plain, { breakLength: Infinity, depth: 4, maxStringLength: 60, maxArrayLength: 5 })
}
