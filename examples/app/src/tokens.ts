import { hkdfSync } from 'node:crypto'
import type { SessionStore } from '@session-stores/core'
import { Tokens, type TokensOptions } from '@session-stores/token'

/**
 * Returns the tokens of the application. Their secret is derived from the one that signs the
 * cookies, so that there is one secret to keep.
 */
export function makeTokens(
  store: SessionStore,
  secret: string,
  options: Partial<TokensOptions> = {},
): Tokens {
  return new Tokens({
    store,
    issuer: 'session-stores-example',
    audience: 'session-stores-example-api',
    secret: Buffer.from(hkdfSync('sha256', secret, '', 'tokens', 32)),
    ...options,
  })
}
