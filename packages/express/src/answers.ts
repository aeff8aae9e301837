import { TokenError, type TokenErrorCode } from '@session-stores/token'
import type { Response } from 'express'
import { isStoreError, UNREADABLE } from './store-errors.ts'

/** The error codes of RFC 6750, 3.1, and our own where that has none. */
const NAMES: Partial<Record<TokenErrorCode, string>> = {
  NO_TOKEN: 'unauthorized',
  NOT_SIGNED_IN: 'unauthorized',
  AMBIGUOUS: 'invalid_request',
  CROSS_SITE: 'cross_site',
  INSUFFICIENT_SCOPE: 'insufficient_scope',
  INVALID_CLAIMS: 'server_error',
  TOO_LARGE: 'server_error',
  INSECURE_CONNECTION: 'server_error',
}

/** Seconds after which a client may try again while the store does not answer. */
const RETRY_AFTER = '1'

/**
 * Answers with the error as JSON: `error` and `error_description` as in RFC 6749, and the stable
 * `code`. Errors that are neither of a token nor of the store go to `next`.
 */
export function sendError(res: Response, error: unknown, next: (error: unknown) => void): void {
  if (res.headersSent) return next(error)
  res.setHeader('Cache-Control', 'no-store')
  if (isStoreError(error)) {
    if (UNREADABLE.has(error.code))
      return send(res, 500, 'server_error', error.code, 'the session cannot be read')
    res.setHeader('Retry-After', RETRY_AFTER)
    return send(
      res,
      503,
      'temporarily_unavailable',
      error.code,
      'the sessions cannot be reached just now; try again',
    )
  }
  if (!(error instanceof TokenError)) return next(error)
  const { code, status, message } = error
  const name = NAMES[code] ?? 'invalid_token'
  // RFC 6750, 3.1: a request without a credential gets no error code.
  if (status === 401)
    res.setHeader(
      'WWW-Authenticate',
      name === 'unauthorized' ? 'Bearer' : `Bearer error="${name}", error_description="${message}"`,
    )
  if (code === 'INSUFFICIENT_SCOPE') res.setHeader('WWW-Authenticate', `Bearer error="${name}"`)
  send(res, status, name, code, message)
}

export function send(res: Response, status: number, error: string, code: string, description: string): void {
  res.status(status).json({ error, code, error_description: description })
}
