import { checkOptions, type OptionRule } from '@session-stores/core'
import { type AccessClaims, TokenError, type Tokens } from '@session-stores/token'
import type { Request, RequestHandler } from 'express'
import type { SessionData } from 'express-session'
import { sendError } from './answers.ts'
import { onlyCookie } from './cookies.ts'
import { accessCookie, findPreset } from './preset.ts'
import { crossSite, mayUseCookies } from './same-origin.ts'

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

declare global {
  namespace Express {
    interface Request {
      /** Set by `authenticate`. */
      auth?: Auth
    }
  }
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
 * Returns middleware that finds out who sent the request and sets `req.auth`, or answers with 401
 * and `WWW-Authenticate` (RFC 6750), 403 for a missing scope or another site, and 503 where the
 * store does not answer. Tokens in the URL or the body are never read.
 *
 * @throws TypeError for a wrong option.
 * @example
 * app.get('/api/notes', authenticate(tokens, { scope: 'notes:read' }), (req, res) => {
 *   res.json({ user: req.auth.user })
 * })
 */
export function authenticate(tokens: Tokens, options: AuthenticateOptions = {}): RequestHandler {
  checkOptions(options, rules)
  const { from = ['header'], required = true, audience, freshness } = options
  const wanted = options.scope?.split(' ') ?? []
  const verifyOptions = {
    ...(audience !== undefined && { audience }),
    ...(freshness !== undefined && { freshness }),
  }

  /** Returns a promise only where something has to be waited for. */
  function identify(req: Request): Auth | undefined | Promise<Auth> {
    const credential = findCredential(req, from)
    if (credential === undefined) return undefined
    const { via, token } = credential
    if (token === undefined) {
      const auth = ofSession(req, tokens)
      return auth && requireScopes(auth)
    }
    const known = tokens.verifyKnown(token, verifyOptions)
    if (known) return requireScopes(ofClaims(known, via))
    return tokens.verify(token, verifyOptions).then((claims) => requireScopes(ofClaims(claims, via)))
  }

  function requireScopes(auth: Auth): Auth {
    if (wanted.some((scope) => auth.scopes?.includes(scope) !== true))
      throw new TokenError('INSUFFICIENT_SCOPE', `this route asks for the scope '${wanted.join(' ')}'`)
    return auth
  }

  return (req, res, next) => {
    const proceed = (auth: Auth | undefined): void => {
      if (auth === undefined && required)
        return sendError(res, new TokenError('NO_TOKEN', 'this route needs somebody who is signed in'), next)
      if (auth) req.auth = auth
      next()
    }
    let auth: Auth | undefined | Promise<Auth>
    try {
      auth = identify(req)
    } catch (error) {
      return sendError(res, error, next)
    }
    if (auth instanceof Promise) auth.then(proceed, (error: unknown) => sendError(res, error, next))
    else proceed(auth)
  }
}

const ofClaims = (claims: AccessClaims, via: CredentialSource): Auth => ({
  user: claims.sub,
  sid: claims.sid,
  via,
  scopes: claims.scope?.split(' '),
  claims,
})

interface Credential {
  via: CredentialSource
  /** Missing where the session itself is the credential. */
  token?: string
}

/** @throws AMBIGUOUS or CROSS_SITE */
function findCredential(req: Request, from: readonly CredentialSource[]): Credential | undefined {
  if (hasTwoAuthorizations(req))
    throw new TokenError('AMBIGUOUS', "the request has two headers 'Authorization'")
  const token = readBearer(req.headers.authorization)
  if (token !== undefined) {
    if (from.includes('header')) return { via: 'header', token }
    // The client meant the token to count, and this route does not take one.
    throw new TokenError('AMBIGUOUS', 'this route takes no Bearer token')
  }
  const found = findCookie(req, from)
  if (found !== undefined && !mayUseCookies(req)) throw crossSite()
  return found
}

/** Node's `headers` keeps the first one, and `headersDistinct` costs as much as all other checks. */
function hasTwoAuthorizations({ rawHeaders }: Request): boolean {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 13 && name.toLowerCase() === 'authorization') count++
  }
  return count > 1
}

/** Returns the token, or `undefined` for other schemes, of which browsers send Basic by themselves. */
const readBearer = (authorization = ''): string | undefined =>
  /^bearer(?: |$)/i.test(authorization) ? authorization.slice(7).trim() : undefined

function findCookie(req: Request, from: readonly CredentialSource[]): Credential | undefined {
  if (from.includes('session') && req.session && req.sessionID) return { via: 'session' }
  if (!from.includes('cookie')) return undefined
  const token = onlyCookie(req, accessCookie(findPreset(req)?.settings.development ?? false))
  return token === undefined ? undefined : { via: 'cookie', token }
}

/** A session that belongs to nobody is no credential. */
function ofSession(req: Request, tokens: Tokens): Auth | undefined {
  const { store } = tokens
  const session = req.session as unknown as SessionData
  const user = store.settings.user!(session)
  if (user === undefined || user === null) return undefined
  const sid = store.handle(req.sessionID)
  return { user: `${user}`, sid, via: 'session', scopes: tokens.scopesOf(session) }
}
