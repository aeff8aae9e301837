import type { RequestListener } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { SessionStore } from '@session-stores/core'
import type { Tokens } from '@session-stores/token'
import express, { type Express, type Request, type Response } from 'express'
import express4 from 'express-4'
import type { Auth, HttpRequest, SignInOptions, SignOutOptions, StoredSession } from '../../src/http/index.ts'
import {
  type AuthenticateOptions,
  authenticate,
  type SameOriginOptions,
  type SessionsOptions,
  sameOrigin,
  sessions,
  signIn,
  signOut,
  type TokenRoutesOptions,
  tokenRoutes,
} from '../../src/index.ts'
import { handle, SECRET, showErrors } from './site.ts'

/** What a route of a test works with, whatever the framework. */
export interface Visit {
  readonly query: Readonly<Record<string, unknown>>
  /** The session; `null` ends it where the framework says so. */
  session: StoredSession
  /** Sets a cookie of the application's own, as the framework does. */
  setCookie(name: string, value: string): void
  readonly raw: HttpRequest
  signIn(data: { userId: string }, options?: SignInOptions): Promise<void>
  signOut(options?: SignOutOptions): Promise<void>
}

/**
 * Handles the requests of a route. A stream is sent as it is, everything else as JSON, and nothing as
 * `{}`.
 */
export type Act = (visit: Visit) => unknown

/** What a site of a test has. */
export interface Site {
  store?: SessionStore
  /** Options of `sessions` besides the store. */
  preset?: Partial<SessionsOptions>
  /** Whether the framework trusts the proxy in front of it, which terminates TLS. @default true */
  trustsProxy?: boolean
  /** What `sameOrigin` takes; `false` leaves it out. @default {} */
  checksOrigin?: SameOriginOptions | false
  /** Acts by method and path, such as `'POST /sign-in'`. */
  routes?: Readonly<Record<string, Act>>
  tokens?: Tokens
  /** The routes of the tokens. */
  tokenRoutes?: Omit<TokenRoutesOptions, 'introspect'> & { introspect?: (raw: HttpRequest) => boolean }
  /** Leaves errors to the framework. @default false */
  leavesErrors?: boolean
  /** How `/api` finds out who asks. It answers with `{ auth }`. */
  api?: AuthenticateOptions
}

/** A framework, for tests that are the same under each. Errors are answered with status and code. */
export interface Host {
  name: string
  /** What messages say of proxies. */
  trustProxy: string
  open(site: Site): RequestListener | Promise<RequestListener>
}

/** What `/api` answers. */
export const toApiAnswer = (auth: Auth | undefined): object => ({ auth: auth ?? null })

const openOn =
  (make: typeof express): Host['open'] =>
  ({ store, preset, trustsProxy = true, checksOrigin = {}, routes = {}, tokens, ...more }) => {
    const app = make()
    if (trustsProxy) app.set('trust proxy', 'loopback')
    app.set('env', 'test')
    if (store) app.use(sessions({ store, secret: SECRET, ...preset }))
    if (checksOrigin) app.use(sameOrigin(checksOrigin))
    for (const [route, act] of Object.entries(routes)) {
      const [method, path] = route.split(' ') as [string, string]
      app[method.toLowerCase() as 'get'](
        path,
        handle(async (req, res) => {
          const value = await act(toVisit(req, res))
          if (value instanceof Readable) await pipeline(value, res)
          else return value
        }),
      )
    }
    if (tokens) {
      app.use(tokenRoutes(tokens, more.tokenRoutes))
      app.use('/api', authenticate(tokens, more.api), (req, res) => void res.json(toApiAnswer(req.auth)))
    }
    return more.leavesErrors ? app : showErrors(app as Express)
  }

const toVisit = (req: Request, res: Response): Visit => ({
  query: req.query,
  raw: req,
  get session() {
    return req.session
  },
  set session(value) {
    req.session = value
  },
  setCookie: (name, value) => void res.cookie(name, value),
  signIn: (data, options) => signIn(req, data, options),
  signOut: (options) => signOut(req, res, options),
})

const trustProxy = "app.set('trust proxy', 1)"

/** Both versions of Express that the package supports. */
export const hosts: readonly Host[] = [
  { name: 'Express 5', trustProxy, open: openOn(express) },
  { name: 'Express 4', trustProxy, open: openOn(express4 as unknown as typeof express) },
]
