import { checkOptions, type OptionRule } from '@session-stores/core'
import { type AccessToken, TokenError, type Tokens } from '@session-stores/token'
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express'
import { send, sendError } from './answers.ts'
import { accessCookie, findPreset } from './preset.ts'
import { crossSite, mayUseCookies } from './same-origin.ts'

/** What `tokenRoutes` takes: which routes there are. */
export interface TokenRoutesOptions {
  /**
   * `POST /token` gives the page of a signed-in user an access token.
   *
   * @default true
   */
  session?: boolean
  /**
   * `POST /token` with `grant_type=refresh_token` gives a client new tokens (RFC 6749, 6).
   *
   * @default true
   */
  refresh?: boolean
  /**
   * `POST /revoke` ends the session of a token (RFC 7009).
   *
   * @default true
   */
  revoke?: boolean
  /**
   * `GET /.well-known/jwks.json` publishes the keys (RFC 7517).
   *
   * @default true
   */
  jwks?: boolean
  /**
   * `POST /introspect` says whether a token is valid (RFC 7662), to whomever this function accepts.
   *
   * @default none: there is no such route
   */
  introspect?: (req: Request) => boolean | Promise<boolean>
  /**
   * `POST /token` also sets the access token as a cookie, for `authenticate` with `from: ['cookie']`.
   *
   * @default false
   */
  cookie?: boolean
}

const BODY_LIMIT = '16kb'
const isBoolean: OptionRule = ['a boolean', (value) => typeof value === 'boolean']

const rules: Record<keyof TokenRoutesOptions, OptionRule> = {
  session: isBoolean,
  refresh: isBoolean,
  revoke: isBoolean,
  jwks: isBoolean,
  introspect: [
    'a function of the request that returns whether the caller may ask',
    (value) => typeof value === 'function',
  ],
  cookie: isBoolean,
}

/**
 * Returns a router with the routes of the tokens. Mount it after `sessions`. Its answers are JSON,
 * as OAuth clients expect them, and are never cached.
 *
 * @throws TypeError for a wrong option.
 * @example
 * app.use(tokenRoutes(tokens))
 */
export function tokenRoutes(tokens: Tokens, options: TokenRoutesOptions = {}): Router {
  checkOptions(options, rules)
  const { session = true, refresh = true, revoke = true, jwks = true, introspect, cookie = false } = options
  const router = express.Router()
  const body = [
    express.json({ limit: BODY_LIMIT }),
    express.urlencoded({ extended: false, limit: BODY_LIMIT }),
  ]

  if (session || refresh)
    router.post(
      '/token',
      ...body,
      answer(async (req, res) => {
        const grantType = field(req, 'grant_type')
        if (grantType === undefined && session) return sendTokens(req, res, await ofSession(req), cookie)
        if (grantType !== 'refresh_token' || !refresh)
          return send(res, 400, 'unsupported_grant_type', 'INVALID_REQUEST', 'this grant type is not offered')
        const refreshToken = field(req, 'refresh_token')
        if (refreshToken === undefined) return sendMissing(res, 'refresh_token')
        await sendRefreshed(res, refreshToken)
      }),
    )
  if (revoke)
    router.post(
      '/revoke',
      ...body,
      answer(async (req, res) => {
        const token = field(req, 'token')
        if (token === undefined) return sendMissing(res, 'token')
        await tokens.revoke(token)
        res.status(200).end()
      }),
    )
  if (introspect)
    router.post(
      '/introspect',
      ...body,
      answer(async (req, res) => {
        if (!(await introspect(req))) throw new TokenError('NO_TOKEN', 'this caller may not ask about tokens')
        const token = field(req, 'token')
        if (token === undefined) return sendMissing(res, 'token')
        res.json(await tokens.introspect(token))
      }),
    )
  if (jwks)
    router.get('/.well-known/jwks.json', (_req, res, next) => {
      tokens.jwks().then((keys) => res.set('Cache-Control', 'public, max-age=300').json(keys), next)
    })
  router.use(refuseBody)
  return router

  async function ofSession(req: Request): Promise<AccessToken> {
    if (!mayUseCookies(req)) throw crossSite()
    return tokens.fromSession(req)
  }

  async function sendRefreshed(res: Response, refreshToken: string): Promise<void> {
    try {
      const { rotated: _rotated, ...pair } = await tokens.refresh(refreshToken)
      // RFC 6749, 6: where the answer has no refresh token, the old one stays. A late answer must not
      // overwrite a newer token with the same one.
      const isNew = pair.refreshToken !== refreshToken
      res.json({ ...toJson(pair), ...(isNew && { refresh_token: pair.refreshToken }) })
    } catch (error) {
      // RFC 6749, 5.2: a refresh token that is refused is an invalid grant, with the status 400.
      if (!(error instanceof TokenError) || error.status !== 401) throw error
      send(res, 400, 'invalid_grant', error.code, error.message)
    }
  }
}

function sendTokens(req: Request, res: Response, access: AccessToken, asCookie: boolean): void {
  const preset = findPreset(req)
  if (asCookie && preset)
    res.cookie(accessCookie(preset.settings.development), access.accessToken, {
      ...preset.attributes,
      maxAge: access.expiresIn * 1000,
    })
  res.json(toJson(access))
}

/** RFC 6749, 5.1. */
const toJson = ({ accessToken, expiresIn, scope }: AccessToken) => ({
  access_token: accessToken,
  token_type: 'Bearer',
  expires_in: expiresIn,
  ...(scope !== undefined && { scope }),
})

/** Returns a field of the body, or `undefined` where it is missing, empty or no text. */
function field(req: Request, name: string): string | undefined {
  const value = (req.body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const sendMissing = (res: Response, name: string): void =>
  send(res, 400, 'invalid_request', 'INVALID_REQUEST', `the body needs one '${name}' as text`)

/** Handles a promise in Express 4, too. */
function answer(handle: (req: Request, res: Response) => Promise<void>): RequestHandler {
  return (req, res, next) => {
    res.setHeader('Cache-Control', 'no-store')
    handle(req, res).catch((error: unknown) => sendError(res, error, next))
  }
}

/** The parsers of Express refuse bodies that they cannot read or that are too large. */
const refuseBody: ErrorRequestHandler = (error: { status?: number; type?: string }, _req, res, next) => {
  if (
    res.headersSent ||
    typeof error?.type !== 'string' ||
    !/^(entity|encoding|charset|request)\./.test(error.type)
  )
    return next(error)
  res.setHeader('Cache-Control', 'no-store')
  send(res, error.status ?? 400, 'invalid_request', 'INVALID_REQUEST', 'the body cannot be read')
}
