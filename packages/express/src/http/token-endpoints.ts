import { checkOptions, type OptionRule } from '@session-stores/core'
import { type AccessToken, TokenError, type Tokens } from '@session-stores/token'
import { answer, type JsonAnswer, refuse, toAnswer } from './answers.ts'
import { addCookies, serialize } from './cookies.ts'
import type { Framework } from './framework.ts'
import { crossSite, mayUseCookies } from './origin.ts'
import { accessCookie, findPreset } from './preset.ts'

/**
 * What `tokenRoutes` takes: which routes there are. `Source` is what handlers of the framework get
 * for a request.
 */
export interface TokenRoutesOptions<Source> {
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
  introspect?: (request: Source) => boolean | Promise<boolean>
  /**
   * `POST /token` also sets the access token as a cookie, for `authenticate` with `from: ['cookie']`.
   *
   * @default false
   */
  cookie?: boolean
}

/** The largest body that a framework reads for these routes, in bytes. */
export const BODY_LIMIT = 16_384
const isBoolean: OptionRule = ['a boolean', (value) => typeof value === 'boolean']

const rules: Record<keyof TokenRoutesOptions<never>, OptionRule> = {
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

/** One of the routes, for a framework to serve. */
export interface TokenEndpoint<Source> {
  method: 'GET' | 'POST'
  path: string
  /**
   * Answers a request.
   *
   * @param body the fields of the body, which was JSON or a form
   * @throws what is neither an error of a token nor one of the store
   */
  handle(source: Source, body: unknown): Promise<JsonAnswer>
}

/**
 * Returns the routes of the tokens.
 *
 * @throws TypeError for a wrong option.
 */
export function makeTokenEndpoints<Source>(
  framework: Framework<Source>,
  tokens: Tokens,
  options: TokenRoutesOptions<Source>,
): TokenEndpoint<Source>[] {
  checkOptions(options, rules)
  const { session = true, refresh = true, revoke = true, jwks = true, introspect, cookie = false } = options
  const endpoints: TokenEndpoint<Source>[] = []

  const post = (path: string, act: (source: Source, body: unknown) => Promise<JsonAnswer>): void =>
    void endpoints.push({ method: 'POST', path, handle: (source, body) => answering(act(source, body)) })

  if (session || refresh)
    post('/token', async (source, body) => {
      const grantType = field(body, 'grant_type')
      if (grantType === undefined && session) return ofSession(source)
      if (grantType !== 'refresh_token' || !refresh)
        return refuse(400, 'unsupported_grant_type', 'INVALID_REQUEST', 'this grant type is not offered')
      const refreshToken = field(body, 'refresh_token')
      return refreshToken === undefined ? missing('refresh_token') : refreshed(tokens, refreshToken)
    })
  if (revoke)
    post('/revoke', async (_source, body) => {
      const token = field(body, 'token')
      if (token === undefined) return missing('token')
      await tokens.revoke(token)
      return answer(200)
    })
  if (introspect)
    post('/introspect', async (source, body) => {
      if (!(await introspect(source)))
        throw new TokenError('NO_TOKEN', 'this caller may not ask about tokens')
      const token = field(body, 'token')
      return token === undefined ? missing('token') : answer(200, await tokens.introspect(token))
    })
  if (jwks)
    endpoints.push({
      method: 'GET',
      path: '/.well-known/jwks.json',
      handle: async () => answer(200, await tokens.jwks(), { 'Cache-Control': 'public, max-age=300' }),
    })
  return endpoints

  async function ofSession(source: Source): Promise<JsonAnswer> {
    if (!mayUseCookies(framework, source)) throw crossSite()
    const req = framework.rawOf(source)
    const access = await tokens.fromSession(req)
    const preset = findPreset(req)
    if (cookie && preset && req.res) {
      const name = accessCookie(preset.settings.development)
      const attributes = { ...preset.attributes, maxAge: access.expiresIn * 1000 }
      // Short times are told as a duration, too, because clocks of browsers are wrong by minutes.
      const line = `${serialize(name, access.accessToken, attributes)}; Max-Age=${access.expiresIn}`
      addCookies(req.res, [line])
    }
    return answer(200, toJson(access))
  }
}

async function refreshed(tokens: Tokens, refreshToken: string): Promise<JsonAnswer> {
  try {
    const { rotated: _rotated, ...pair } = await tokens.refresh(refreshToken)
    // RFC 6749, 6: where the answer has no refresh token, the old one stays. A late answer must not
    // overwrite a newer token with the same one.
    const isNew = pair.refreshToken !== refreshToken
    return answer(200, { ...toJson(pair), ...(isNew && { refresh_token: pair.refreshToken }) })
  } catch (error) {
    // RFC 6749, 5.2: a refresh token that is refused is an invalid grant, with the status 400.
    if (!(error instanceof TokenError) || error.status !== 401) throw error
    return refuse(400, 'invalid_grant', error.code, error.message)
  }
}

const answering = (answered: Promise<JsonAnswer>): Promise<JsonAnswer> =>
  answered.catch((error: unknown) => {
    const known = toAnswer(error)
    if (known === undefined) throw error
    return known
  })

/** RFC 6749, 5.1. */
const toJson = ({ accessToken, expiresIn, scope }: AccessToken) => ({
  access_token: accessToken,
  token_type: 'Bearer',
  expires_in: expiresIn,
  ...(scope !== undefined && { scope }),
})

/** Returns a field of the body, or `undefined` where it is missing, empty or no text. */
function field(body: unknown, name: string): string | undefined {
  const value = (body as Record<string, unknown> | null | undefined)?.[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const missing = (name: string): JsonAnswer =>
  refuse(400, 'invalid_request', 'INVALID_REQUEST', `the body needs one '${name}' as text`)

/** Returns the answer to a request whose body the framework could not read, or that is too large. */
export const unreadableBody = (status: number): JsonAnswer =>
  refuse(status, 'invalid_request', 'INVALID_REQUEST', 'the body cannot be read')
