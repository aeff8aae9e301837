import { checkOptions, type OptionRule } from '@session-stores/core'
import { type AccessClaims, TokenError, type Tokens } from '@session-stores/token'
import type { SessionData } from 'express-session'
import { onlyCookie } from './cookies.ts'
import type { Framework, HttpRequest } from './framework.ts'
import { crossSite, mayUseCookies } from './origin.ts'
import { accessCookie, findPreset } from './preset.ts'

/** Where a credential may be: the session, the header `Authorization: Bearer`, or a cookie. */
export type CredentialSource = 'session' | 'header' | 'cookie'

/** Who sent the request. */
export interface Auth {
  /** The user's id, as text. */
  user: string
  /** The handle of the session, as `store.list` returns it. */
  sid: string
  via: CredentialSource
  /** `undefined` without the option `scopes` of the tokens. */
  scopes: readonly string[] | undefined
  /** The claims of the access token; missing where the session itself was used. */
  claims?: AccessClaims
}

/** What `authenticate` takes. */
export interface AuthenticateOptions {
  /**
   * Where the credential may be. Only one counts: a request with a Bearer token is judged by that
   * alone, and no cookie rescues a bad one.
   *
   * @default ['header']
   */
  from?: readonly CredentialSource[]
  /**
   * Whether requests without a credential are refused. A wrong credential is refused in any case.
   *
   * @default true
   */
  required?: boolean
  /** The scopes that the route asks for, separated by spaces. */
  scope?: string
  /** The audience for which the token must be, where the tokens have several. */
  audience?: string
  /** Overrides the `freshness` of the tokens, for example 0 before a payment. */
  freshness?: number | false
}

const SOURCES: readonly unknown[] = ['session', 'header', 'cookie']
const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

const rules: Record<keyof AuthenticateOptions, OptionRule> = {
  from: [
    "an array of 'session', 'header' and 'cookie'",
    (value) => Array.isArray(value) && value.length > 0 && value.every((source) => SOURCES.includes(source)),
  ],
  required: ['a boolean', (value) => typeof value === 'boolean'],
  scope: ["scopes separated by spaces, such as 'notes:read'", isText],
  audience: ['one of the audiences of the tokens', isText],
  freshness: [
    'a number of milliseconds, 0 to ask the store each time, or false to never ask it',
    (value) => value === false || (typeof value === 'number' && value >= 0),
  ],
}

/**
 * Returns a function that finds out who sent a request: `undefined` where nobody did and nobody is
 * required. It returns a promise only where something has to be waited for.
 *
 * @throws TypeError for a wrong option. The function throws or rejects with the error that
 *   `toAnswer` turns into an answer.
 */
export function makeAuthenticator<Source>(
  framework: Framework<Source>,
  tokens: Tokens,
  options: AuthenticateOptions,
): (source: Source) => Auth | undefined | Promise<Auth> {
  checkOptions(options, rules)
  const { from = ['header'], required = true, audience, freshness } = options
  const takesHeader = from.includes('header')
  const wanted = options.scope?.split(' ') ?? []
  const verifyOptions = {
    ...(audience !== undefined && { audience }),
    ...(freshness !== undefined && { freshness }),
  }

  function requireScopes(auth: Auth): Auth {
    if (wanted.some((scope) => auth.scopes?.includes(scope) !== true))
      throw new TokenError('INSUFFICIENT_SCOPE', `this route asks for the scope '${wanted.join(' ')}'`)
    return auth
  }

  function identify(token: string, via: CredentialSource): Auth | Promise<Auth> {
    const known = tokens.verifyKnown(token, verifyOptions)
    if (known) return requireScopes(ofClaims(known, via))
    return tokens.verify(token, verifyOptions).then((claims) => requireScopes(ofClaims(claims, via)))
  }

  return (source) => {
    const req = framework.rawOf(source)
    if (hasTwoAuthorizations(req))
      throw new TokenError('AMBIGUOUS', "the request has two headers 'Authorization'")
    const bearer = readBearer(req.headers.authorization)
    if (bearer !== undefined && takesHeader) return identify(bearer, 'header')
    // The client meant the token to count, and this route does not take one.
    if (bearer !== undefined) throw new TokenError('AMBIGUOUS', 'this route takes no Bearer token')
    const hasSession = from.includes('session') && req.session && req.sessionID
    const token = hasSession || !from.includes('cookie') ? undefined : readCookie(req)
    if ((hasSession || token !== undefined) && !mayUseCookies(framework, source)) throw crossSite()
    if (token !== undefined) return identify(token, 'cookie')
    const auth = hasSession ? ofSession(req, tokens) : undefined
    if (auth === undefined && required)
      throw new TokenError('NO_TOKEN', 'this route needs somebody who is signed in')
    return auth && requireScopes(auth)
  }
}

const ofClaims = (claims: AccessClaims, via: CredentialSource): Auth => ({
  user: claims.sub,
  sid: claims.sid,
  via,
  scopes: claims.scope?.split(' '),
  claims,
})

/** Node's `headers` keeps the first one, and `headersDistinct` costs as much as all other checks. */
function hasTwoAuthorizations({ rawHeaders }: HttpRequest): boolean {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 13 && name.toLowerCase() === 'authorization') count++
  }
  return count > 1
}

/** Returns the token, or `undefined` for other schemes, of which browsers send Basic by themselves. */
function readBearer(authorization = ''): string | undefined {
  // Nearly all clients write it like this, and the expression takes longer.
  const isBearer = authorization.startsWith('Bearer ') || /^bearer(?: |$)/i.test(authorization)
  return isBearer ? authorization.slice(7).trim() : undefined
}

/** @throws AMBIGUOUS */
const readCookie = (req: HttpRequest): string | undefined =>
  onlyCookie(req, accessCookie(findPreset(req)?.settings.development ?? false))

/** A session that belongs to nobody is no credential. */
function ofSession(req: HttpRequest, tokens: Tokens): Auth | undefined {
  const { store } = tokens
  const session = req.session as SessionData
  const user = store.settings.user!(session)
  if (user === undefined || user === null) return undefined
  const sid = store.handle(req.sessionID)
  return { user: `${user}`, sid, via: 'session', scopes: tokens.scopesOf(session) }
}
