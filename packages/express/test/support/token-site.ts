import type { SessionStore } from '@session-stores/core'
import type { Tokens, TokensOptions } from '@session-stores/token'
import { openInMemory, tokensForTest } from '../../../token/test/support/databases.ts'
import type { AuthenticateOptions } from '../../src/index.ts'
import type { Host, Site } from './host.ts'
import { type Answer, openBrowser, type SendOptions, send, serve } from './site.ts'

/** What an application with tokens is made of. */
export interface Options {
  host: Host
  store?: SessionStore
  tokens?: Partial<TokensOptions>
  routes?: Site['tokenRoutes']
  auth?: AuthenticateOptions
  checksOrigin?: false
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
  host,
  store = openInMemory(),
  tokens: options,
  routes,
  auth,
  checksOrigin,
}: Options): Promise<TokenSite> {
  const tokens: Tokens = tokensForTest(store, options)
  const listener = await host.open({
    store,
    ...(checksOrigin !== undefined && { checksOrigin }),
    routes: { 'POST /sign-in': ({ signIn }) => signIn({ userId: 'ada' }) },
    tokens,
    ...(routes && { tokenRoutes: routes }),
    ...(auth && { api: auth }),
  })
  const origin = await serve(listener)
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
