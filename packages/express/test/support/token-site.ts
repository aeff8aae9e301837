import type { SessionStore } from '@session-stores/core'
import type { Tokens, TokensOptions } from '@session-stores/token'
import type express from 'express'
import { openInMemory, tokensForTest } from '../../../token/test/support/databases.ts'
import {
  type AuthenticateOptions,
  authenticate,
  signIn,
  type TokenRoutesOptions,
  tokenRoutes,
} from '../../src/index.ts'
import {
  type Answer,
  handle,
  makeApp,
  openBrowser,
  type SendOptions,
  send,
  serve,
  showErrors,
} from './site.ts'

/** What an application with tokens is made of. */
export interface Options {
  make: typeof express
  store?: SessionStore
  tokens?: Partial<TokensOptions>
  routes?: TokenRoutesOptions
  auth?: AuthenticateOptions
  checksOrigin?: boolean
}

export interface JsonAnswer extends Omit<Answer, 'body'> {
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for.
  body: any
}

export interface TokenSite {
  store: SessionStore
  tokens: Tokens
  origin: string
  /** The cookie of Ada's session. */
  cookie: string
  /** The tokens of Eve's client. */
  accessToken: string
  refreshToken: string
  ask(path: string, more?: SendOptions): Promise<JsonAnswer>
}

/** Opens an application with the routes of the tokens, and an API, where Ada is signed in. */
export async function openTokenSite({
  make,
  store = openInMemory(),
  tokens: options,
  routes,
  auth,
  checksOrigin,
}: Options): Promise<TokenSite> {
  const tokens: Tokens = tokensForTest(store, options)
  const app = makeApp(store, { make, ...(checksOrigin !== undefined && { checksOrigin }) })
  app.post(
    '/sign-in',
    handle((req) => signIn(req, { userId: 'ada' })),
  )
  app.use(tokenRoutes(tokens, routes))
  app.use('/api', authenticate(tokens, auth), (req, res) => void res.json({ auth: req.auth ?? null }))
  const origin = await serve(showErrors(app))
  const browser = openBrowser(origin)
  await browser.post('/sign-in')
  const cookie = browser.cookieFor(origin)
  const pair = await tokens.grant({ userId: 'eve' }, { client: 'cli' })
  const ask = async (path: string, more: SendOptions = {}) => {
    const { status, headers, body, cookies } = await send(origin + path, more)
    return { status, headers, cookies, body: body === '' ? undefined : JSON.parse(body) }
  }
  return { store, tokens, ask, cookie, origin, ...pair }
}

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })
