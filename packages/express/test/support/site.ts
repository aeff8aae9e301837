/// <reference path="./express-4.d.ts" />
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { SessionStore } from '@session-stores/core'
import { Browser } from '@session-stores/testbed/browser'
import { after } from '@session-stores/testbed/vitest'
import express, { type Express, type Request } from 'express'
import express4 from 'express-4'
import { recordCalls } from '../../../token/test/support/calls.ts'
import { type SessionsOptions, sameOrigin, sessions } from '../../src/index.ts'

export const SECRET = 'jT7PqE2vXr9WmKf4LzB8nYcD5sGhA1uQ'
/** The name of the session's cookie by default. */
export const SID = '__Host-sid'

/** Both versions of Express that the package supports, by their names. */
export const versions: readonly (readonly [name: string, make: typeof express])[] = [
  ['Express 5', express],
  ['Express 4', express4 as unknown as typeof express],
]

/** What a browser behind an https proxy sends with a request of the site's own page. */
export const OWN_PAGE = { 'x-forwarded-proto': 'https', 'sec-fetch-site': 'same-origin' }

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
  /** The lines `Set-Cookie`. */
  cookies: string[]
}

export interface SendOptions {
  method?: string
  headers?: Record<string, string | string[]>
  /** An object is sent as JSON. */
  body?: string | object
}

/** Sends one request as it is described, without cookies of its own. */
export async function send(
  url: string,
  { method = 'GET', headers = {}, body }: SendOptions = {},
): Promise<Answer> {
  const isJson = typeof body === 'object'
  const sending = request(url, {
    method,
    agent: false,
    headers: { ...OWN_PAGE, ...(isJson && { 'content-type': 'application/json' }), ...headers },
  })
  sending.end(isJson ? JSON.stringify(body) : body)
  const [response] = (await once(sending, 'response')) as [IncomingMessage]
  return {
    status: response.statusCode!,
    headers: response.headers,
    body: await text(response),
    cookies: response.headers['set-cookie'] ?? [],
  }
}

/** Serves an application on a free port until the test ends. */
export async function serve(app: RequestListener): Promise<string> {
  const server = createServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface AppOptions extends Partial<SessionsOptions> {
  make?: typeof express
  trustsProxy?: boolean
  checksOrigin?: boolean
}

/** Makes an application with the preset behind a proxy. Errors are answered with status and code. */
export function makeApp(store: SessionStore, options: AppOptions = {}): Express {
  const { make = express, trustsProxy = true, checksOrigin = true, ...preset } = options
  const app = make()
  if (trustsProxy) app.set('trust proxy', 'loopback')
  app.set('env', 'test')
  app.use(sessions({ store, secret: SECRET, ...preset }), make.urlencoded({ extended: false }))
  if (checksOrigin) app.use(sameOrigin())
  return app
}

/** Handles a promise in Express 4, too. */
export const handle =
  (act: (req: Request, res: express.Response) => Promise<unknown>) =>
  (req: Request, res: express.Response, next: (error: unknown) => void): void => {
    act(req, res).then((value) => res.headersSent || res.json(value ?? {}), next)
  }

/** Adds the handler that shows errors. It must be the last one. */
export function showErrors(app: Express): Express {
  const show: express.ErrorRequestHandler = (error, _req, res, _next) => {
    res
      .set(error.headers ?? {})
      .status(error.status ?? 500)
      .json({ code: error.code ?? error.name })
  }
  app.use(show)
  return app
}

/** Opens a browser whose requests come from the site's own pages. */
export const openBrowser = (origin: string): Browser => new Browser(origin, OWN_PAGE)

/** Counts the rows that the database was asked to write while `act` runs. */
export async function countWrites(act: () => Promise<unknown>): Promise<number> {
  const calls = await recordCalls(act)
  return calls.reduce((rows, { verb, size }) => rows + (verb === 'write' ? size : 0), 0)
}

/** Holds a request until the test lets it go on. */
export class Gate {
  readonly entered: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly released: PromiseWithResolvers<void> = Promise.withResolvers()

  async pass(): Promise<void> {
    this.entered.resolve()
    await this.released.promise
  }
}
