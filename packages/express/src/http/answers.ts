import { TokenError, type TokenErrorCode } from '@session-stores/token'
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

/** An answer of JSON, for a framework to send. */
export interface JsonAnswer {
  status: number
  headers: Record<string, string>
  /** The body; an answer without one is empty. */
  body?: object
}

/**
 * Returns the answer to an error: `error` and `error_description` as in RFC 6749, and the stable
 * `code`. Errors that are neither of a token nor of the store have none.
 */
export function toAnswer(error: unknown): JsonAnswer | undefined {
  if (isStoreError(error)) {
    if (UNREADABLE.has(error.code))
      return refuse(500, 'server_error', error.code, 'the session cannot be read')
    const text = 'the sessions cannot be reached just now; try again'
    return refuse(503, 'temporarily_unavailable', error.code, text, { 'Retry-After': RETRY_AFTER })
  }
  if (!(error instanceof TokenError)) return undefined
  const { code, status, message } = error
  const name = NAMES[code] ?? 'invalid_token'
  return refuse(status, name, code, message, challenge(error, name))
}

function challenge({ code, status, message }: TokenError, name: string): Record<string, string> {
  if (code === 'INSUFFICIENT_SCOPE') return { 'WWW-Authenticate': `Bearer error="${name}"` }
  if (status !== 401) return {}
  // RFC 6750, 3.1: a request without a credential gets no error code.
  if (name === 'unauthorized') return { 'WWW-Authenticate': 'Bearer' }
  return { 'WWW-Authenticate': `Bearer error="${name}", error_description="${message}"` }
}

export const refuse = (
  status: number,
  error: string,
  code: string,
  description: string,
  headers: Record<string, string> = {},
): JsonAnswer => answer(status, { error, code, error_description: description }, headers)

/** Makes an answer that nobody keeps. */
export const answer = (status: number, body?: object, headers: Record<string, string> = {}): JsonAnswer => ({
  status,
  headers: { 'Cache-Control': 'no-store', ...headers },
  ...(body && { body }),
})
