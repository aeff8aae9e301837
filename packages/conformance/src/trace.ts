import { inspect } from 'node:util'
import type { Store } from 'express-session'

/** What was done to the stores of one rule, as lines of code: the smallest way to see again what it saw. */
export class Trace {
  readonly lines: string[] = []
  readonly #added: ((line: string) => void) | undefined

  /** `added` is called with each line before it is executed. */
  constructor(added?: (line: string) => void) {
    this.#added = added
  }

  /** The place of the line among the others. */
  add(line: string): number {
    this.#added?.(line)
    return this.lines.push(line) - 1
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

  #call(
    store: Store,
    name: string,
    method: string,
    body: (...args: never) => unknown,
    args: unknown[],
  ): unknown {
    const callback = args.findLastIndex((arg) => typeof arg === 'function')
    const shown = args.filter((_, i) => i !== callback).map(show)
    const line = this.add(`${name}.${method}(${shown.join(', ')})`)
    const note = (text: string): void => {
      this.lines[line] += ` // ${text}`
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
