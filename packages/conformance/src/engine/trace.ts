import { inspect } from 'node:util'
import type { Store } from 'express-session'

/** The calls of a rule's stores, as lines of code: the shortest way to reproduce a failure. */
export class Trace {
  readonly #lines: { text: string; id?: unknown }[] = []
  readonly #onLine: ((line: string) => void) | undefined
  #kept: readonly string[] | undefined

  /** @param onLine Called with each line before the line is executed. */
  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine
  }

  /** The lines so far. After `keep`, lines about other sessions are left out. */
  get lines(): readonly string[] {
    const kept = this.#kept
    return this.#lines
      .filter(({ id }) => !kept || typeof id !== 'string' || kept.includes(id))
      .map(({ text }) => text)
  }

  /** Adds a line. */
  add(text: string): void {
    this.#add({ text })
  }

  /** Leaves out the calls of all sessions but these, because only these show what went wrong. */
  keep(...ids: readonly string[]): void {
    this.#kept = ids
  }

  /** Adds a comment that time passed on purpose, in milliseconds. */
  addPause(ms: number): void {
    this.add(`// ${ms} ms later`)
  }

  /**
   * Returns the same store, whose calls are added to the trace. Calls that the store makes of its
   * own methods are not added.
   * @param name The name of the store in the trace.
   */
  follow<S extends Store>(store: S, name: string): S {
    const trace = this
    return new Proxy(store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        if (!TRACED_METHODS.has(property)) return value.bind(target)
        return (...args: unknown[]) => trace.#call(target, name, String(property), value as never, args)
      },
      set: (target, property, value) => Reflect.set(target, property, value, target),
    })
  }

  #add(line: { text: string; id?: unknown }): void {
    this.#onLine?.(line.text)
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
      const original = args[callback] as (...answer: unknown[]) => unknown
      args = args.with(callback, (...answer: unknown[]) => {
        note(`calls back (${answer.map(show).join(', ')})`)
        return original(...answer)
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

const TRACED_METHODS = new Set<PropertyKey>([
  'get',
  'set',
  'touch',
  'destroy',
  'all',
  'length',
  'clear',
  'ids',
])

function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`.split('\n', 1)[0]!.slice(0, 200)
  // JSON leaves out the request and the methods that express-session adds to a session.
  let plain = value
  if (typeof value === 'object' && value !== null) {
    try {
      plain = JSON.parse(JSON.stringify(value))
    } catch {
      // A rule may save what JSON cannot hold; such a value is shown as it is.
    }
  }
  return inspect(plain, { breakLength: Infinity, depth: 4, maxStringLength: 60, maxArrayLength: 5 })
}
