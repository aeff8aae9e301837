import { type Handler, WHOLE_ANSWER } from '@session-stores/conformance/sites'

/** The promises of a session, which the rules call with callbacks. */
const CALLS = new Set<PropertyKey>(['save', 'reload', 'regenerate', 'destroy'])

type Callback = (error?: unknown) => void

/** The request or context of a framework, whose session can be replaced and deleted. */
interface Owner {
  session: object | null
}

/**
 * Lets the rules handle a request as if it were one of Express, and returns what the framework shall
 * answer. What they do with its session, they do with the session of the framework and its promises.
 */
export async function handle(handler: Handler, raw: object, owner: object): Promise<unknown> {
  const answer = new Answer()
  await handler(toRequest(raw, owner as Owner), answer as never)
  return answer.body ?? WHOLE_ANSWER
}

function toRequest(request: object, owner: Owner): Parameters<Handler>[0] {
  return new Proxy(request, {
    get: (raw, key) =>
      key === 'session' ? owner.session && toSession(owner.session) : Reflect.get(raw, key, raw),
    set(raw, key, value) {
      if (key === 'session') owner.session = value
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
class Answer {
  body: unknown

  end(text: string | undefined): void {
    this.body = text ?? ''
  }

  json(value: unknown): void {
    this.body = value ?? null
  }
}

export const textOf = (error: unknown): string => String((error as { code?: string }).code ?? error)
