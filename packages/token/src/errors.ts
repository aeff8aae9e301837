/**
 * Every way in which a token is refused. Codes are stable: match on `error.code`, never on the
 * message. Errors of the store (`SessionStoreError`) pass through as they are.
 */
export type TokenErrorCode =
  /** The request has no token. */
  | 'NO_TOKEN'
  /** The text is not a token: it is too long, has other characters, or lacks a part. */
  | 'MALFORMED'
  /** The signature, the key or a claim is wrong: somebody else issued the token, or changed it. */
  | 'INVALID'
  /** The token was valid, and its time is over. Get a new one. */
  | 'EXPIRED'
  /** The session of the token has ended, for example by a sign-out. */
  | 'REVOKED'
  /**
   * A refresh token was used again after its successor had been used: it, or its successor, is in
   * the wrong hands. Its family has been ended. See RFC 9700, 4.14.2.
   */
  | 'REUSED'
  /** Another site sent the request, with the cookies of this one. */
  | 'CROSS_SITE'
  /** The request has two credentials where one may be (RFC 6750, 2), so it is unclear which counts. */
  | 'AMBIGUOUS'
  /** The token lacks a scope that the route asks for (RFC 6750, 3.1). */
  | 'INSUFFICIENT_SCOPE'
  /** The session belongs to nobody, or is not stored yet. */
  | 'NOT_SIGNED_IN'
  /** A session was to begin over plain http, where browsers refuse its `Secure` cookie. */
  | 'INSECURE_CONNECTION'
  /** The option `claims` or `scopes` returned what cannot be in a token. */
  | 'INVALID_CLAIMS'
  /** The claims of the application make the token too long for a header. */
  | 'TOO_LARGE'

const STATUS: Readonly<Record<TokenErrorCode, number>> = {
  NO_TOKEN: 401,
  MALFORMED: 401,
  INVALID: 401,
  EXPIRED: 401,
  REVOKED: 401,
  REUSED: 401,
  CROSS_SITE: 403,
  AMBIGUOUS: 400,
  INSUFFICIENT_SCOPE: 403,
  NOT_SIGNED_IN: 401,
  INSECURE_CONNECTION: 500,
  INVALID_CLAIMS: 500,
  TOO_LARGE: 500,
}

/**
 * The error class of tokens. `message` never holds a token, an id, a key or a claim's value.
 *
 * @example
 * try {
 *   await tokens.verify(token)
 * } catch (error) {
 *   if (error instanceof TokenError && error.code === 'EXPIRED') askForANewToken()
 * }
 */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  /** Says why the token was refused; stable across versions. */
  readonly code: TokenErrorCode
  /** The status code of HTTP for this error. */
  readonly status: number

  constructor(code: TokenErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = STATUS[code]
  }
}

/** The error of a token whose session has ended. */
export const revoked = (): TokenError => new TokenError('REVOKED', 'the session of this token has ended')
