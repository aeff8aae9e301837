import type { Handler } from '@session-stores/conformance/sites'

/** The promises of a session, which the rules call with callbacks. */
const CALLS = new Set<PropertyKey>(['save', 'reload', 'regenerate', 'destroy'])

type Callback = (error?: unknown) => void

/** The session of a request in some framework, as an object that can be replaced and deleted. */
export interface Place {
  session: object | null
  raw: object
}

/**
 * Returns what the rules take for a request of Express. What they do with its session, they do with
 * the session of the framework and its promises.
 */
export function toRequest(place: Place): Parameters<Handler>[0] {
  return new Proxy(place.raw, {
    get: (raw, key) =>
      key === 'session' ? place.session && toSession(place.session) : Reflect.get(raw, key, raw),
    set(raw, key, value) {
      if (key === 'session') place.session = value
      else Reflect.set(raw, key, value)
      return true
    },
  }) as never
}

function toSession(session: object): object {
  return new Proxy(session, {
    get(target, key) {
      const value = Reflect.get(target, key)
      if (!CALLS.has(key)) return value
      return (callback: Callback) => void value.call(target).then(() => callback(), callback)
    },
  })
}

/** What the rules take for an answer of Express. It keeps what it is told to answer. */
export class Answer {
  body: unknown

  end(text: string | undefined): void {
    this.body = text ?? ''
  }

  json(value: unknown): void {
    this.body = value ?? null
  }
}

export const textOf = (error: unknown): string => String((error as { code?: string }).code ?? error)
