import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestListener } from 'node:http'
import express, { type Request, type Response } from 'express'
import session, { type SessionOptions } from 'express-session'

/** What one request does with its session before the answer ends. */
export type Handler = (req: Request & { session: Record<string, unknown> }, res: Response) => unknown

/**
 * Makes a web application whose sessions express-session keeps. `answer` handles each request; where
 * it answers nothing, the answer is `WHOLE_ANSWER`. An error is answered with 500 and its code.
 */
export type Host = (settings: SessionOptions, answer: Handler) => RequestListener | Promise<RequestListener>

/** The answer to a request whose handler answers nothing. */
export const WHOLE_ANSWER = 'the whole answer'

/** Makes a host of some version of Express. */
export const makeExpressHost =
  (make: typeof express): Host =>
  (settings, answer) => {
    const app = make()
    app.set('env', 'test')
    app.use(session(settings))
    app.use((req: Request, res: Response, next: (error: unknown) => void) => {
      // Express 4 does not wait for promises.
      Promise.resolve(answer(req as never, res)).then(() => res.writableEnded || res.end(WHOLE_ANSWER), next)
    })
    app.use((error: Error, _req: Request, res: Response, next: (error: Error) => void) => {
      if (res.headersSent) return next(error)
      res.status(500).end(String((error as { code?: string }).code ?? error))
    })
    return app
  }

const current = new AsyncLocalStorage<Host>()
const usual = makeExpressHost(express)

/**
 * Runs `body` with sites on another framework than Express, or another version of it.
 * @example
 * await withHost(makeExpressHost(express4), () => rule.check(fixture))
 */
export const withHost = <T>(host: Host, body: () => T): T => current.run(host, body)

/** Returns the host for the sites of this call. */
export const currentHost = (): Host => current.getStore() ?? usual
