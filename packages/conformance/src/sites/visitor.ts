/** The session of one request, whatever the framework calls it. */
export interface Visit {
  id: string
  session: Record<string, unknown>
  /** Ends the session. */
  end(): Promise<void> | void
  /** Gives the session a new id. */
  renew(): Promise<void>
}

/** What one request does with its session. */
export type Act = (visit: Visit) => unknown

/** A browser that visits a site of some framework. It keeps the cookies. */
export interface Visitor {
  /** Sends a request that runs `act`. Returns or throws what `act` returns or throws. */
  visit<T>(act: (visit: Visit) => T | Promise<T>): Promise<T>
  /** The `Cookie` header. */
  cookie: string | undefined
}

/**
 * Makes a visitor. `send` sends a request that runs `act`, and returns the `Set-Cookie` headers.
 */
export function createVisitor(
  send: (act: Act, cookie: string | undefined) => Promise<readonly string[]>,
): Visitor {
  const visitor: Visitor = {
    cookie: undefined,
    async visit(act) {
      let outcome: { value: Awaited<ReturnType<typeof act>> } | { error: unknown } | undefined
      const cookies = await send(async (visit) => {
        try {
          outcome = { value: await act(visit) }
        } catch (error) {
          outcome = { error }
        }
      }, visitor.cookie)
      const pairs = cookies.map((cookie) => cookie.split(';', 1)[0]!)
      if (pairs.length > 0) visitor.cookie = pairs.join('; ')
      if (!outcome) throw new Error('the request was not answered by its handler')
      if ('error' in outcome) throw outcome.error
      return outcome.value
    },
  }
  return visitor
}
