import type { SessionStore, StoreOptions } from '@session-stores/core'
import type { Browser } from '@session-stores/testbed/browser'
import { generateKey, type Tokens, type TokensOptions } from '@session-stores/token'
import { CompactSign, importJWK, type JWK } from 'jose'
import { openForTest, tokensForTest } from '../../../token/test/support/databases.ts'
import type { Place } from '../../../token/test/support/places.ts'
import { type Host, hosts, type Visit } from '../support/host.ts'
import { Gate, openBrowser, send, serve } from '../support/site.ts'

/** Where the sessions of a site are, and the framework on which it runs: Express 5 without one. */
export interface AttackedPlace extends Place {
  host?: Host
}

export type MakePlace = () => AttackedPlace

/** The grace period of refresh tokens, in milliseconds. */
export const GRACE = 30_000

/** The key that signs the tokens, which no attacker has. */
export const key = JSON.parse(generateKey()) as JWK
export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })
/** Returns the header (0) or the claims (1) of a token. */
export const decode = (token: string, part: number): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[part]!, 'base64url').toString())
export const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs as the application does, or with a key of the attacker. */
export async function sign(header: object, claims: object, jwk: JWK = key): Promise<string> {
  const signing = new CompactSign(Buffer.from(JSON.stringify(claims)))
  return signing.setProtectedHeader({ alg: 'ES256', ...header }).sign(await importJWK(jwk, 'ES256'))
}

/** An application with everything that an attacker may try. */
export interface AttackedSite {
  store: SessionStore
  tokens: Tokens
  origin: string
  /** Opens a browser, in which the user is signed in. */
  open(user?: string): Promise<Browser>
  /** Returns the status with which the API answers a token. */
  statusOf(token: string): Promise<number>
  /** Returns the user of a cookie, or `null`. */
  userOf(cookie: string): Promise<string | null>
  /** Returns an access token for the session of a cookie. */
  tokenOf(cookie: string): Promise<string>
  /** Holds the next request with `?slow=1`. */
  hold(): Gate
}

export async function openSite(
  place: AttackedPlace,
  tokenOptions: Partial<TokensOptions> = {},
  storeOptions: StoreOptions = {},
): Promise<AttackedSite> {
  const store: SessionStore = openForTest(place, storeOptions)
  const tokens: Tokens = tokensForTest(store, { freshness: 0, keys: [JSON.stringify(key)], ...tokenOptions })
  const state: { gate?: Gate } = {}
  const pass = async ({ query }: Visit): Promise<void> => {
    if (query.slow) await state.gate!.pass()
  }
  const listener = await (place.host ?? hosts[0]!).open({
    store,
    preset: { readAlso: ['connect.sid'] },
    routes: {
      'GET /': ({ session }) => ({ user: session.userId ?? null, cart: session.cart ?? [] }),
      'POST /sign-in': ({ query, signIn }) =>
        signIn({ userId: `${query.user ?? 'ada'}` }, { keep: ['cart'] }),
      'POST /sign-out': ({ signOut }) => signOut(),
      'POST /sign-out-everywhere': ({ signOut }) => signOut({ everywhere: true }),
      'POST /cart': async (visit) => {
        await pass(visit)
        visit.session.cart = ['book']
      },
      'POST /late-token': async (visit) => {
        await pass(visit)
        return tokens.fromSession(visit.raw)
      },
    },
    tokens,
    api: { from: ['session', 'header'] },
  })
  const origin = await serve(listener)
  const open = async (user?: string) => {
    const browser = openBrowser(origin)
    if (user) await browser.post(`/sign-in?user=${user}`)
    return browser
  }
  const statusOf = async (token: string) => (await send(`${origin}/api`, { headers: bearer(token) })).status
  const userOf = async (cookie: string) => JSON.parse((await send(origin, { headers: { cookie } })).body).user
  const tokenOf = async (cookie: string) =>
    JSON.parse((await send(`${origin}/token`, { method: 'POST', headers: { cookie } })).body)
      .access_token as string
  const hold = (): Gate => {
    state.gate = new Gate()
    return state.gate
  }
  return { store, tokens, origin, open, statusOf, userOf, tokenOf, hold }
}
