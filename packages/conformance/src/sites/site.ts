/** One request's session, whatever the framework calls it. */
export interface Visit {
  id: string
  session: Record<string, unknown>
  /** Ends the session. */
  end(): Promise<void> | void
  /** Gives what follows another id. */
  renew(): Promise<void>
}

export type Act = (visit: Visit) => unknown

/** A site of some framework: one visitor, who keeps the cookie. */
export interface Site {
  /** Sends a request; returns what `act` does, which runs within it. */
  visit<T>(act: (visit: Visit) => T | Promise<T>): Promise<T>
  /** The `Cookie` header of the visitor. */
  cookie: string | undefined
}

/** A visitor of a site that answers requests on `send`, which runs `act` and returns the cookies that it set. */
export function visitor(send: (act: Act, cookie: string | undefined) => Promise<readonly string[]>): Site {
  const site: Site = {
    cookie: undefined,
    async visit(act) {
      let outcome: { value: Awaited<ReturnType<typeof act>> } | { error: unknown } | undefined
      const cookies = await send(async (visit) => {
        try {
          outcome = { value: await act(visit) }
        } catch (error) {
          outcome = { error }
        }
      }, site.cookie)
      const pairs = cookies.map((cookie) => cookie.split(';', 1)[0]!)
      if (pairs.length > 0) site.cookie = pairs.join('; ')
      if (!outcome) throw new Error('the request was not answered by its handler')
      if ('error' in outcome) throw outcome.error
      return outcome.value
    },
  }
  return site
}
