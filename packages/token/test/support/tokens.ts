import { createHash } from 'node:crypto'
import type { SessionStore } from '@session-stores/core'
import { Tokens, type TokensOptions } from '../../src/index.ts'

/** Two secrets that every process of the tests knows. */
export const secrets: string[] = ['one', 'two'].map((name) => createHash('sha256').update(name).digest('hex'))

export const ISSUER = 'https://issuer.example'
export const AUDIENCE = 'https://api.example'

/** Makes tokens on a store. The caller closes them. */
export const makeTokens = (store: SessionStore, options: Partial<TokensOptions> = {}): Tokens =>
  new Tokens({ store, issuer: ISSUER, audience: AUDIENCE, secret: secrets[0]!, ...options })

/** Returns the code of the error with which the promise rejects, or what it resolves with. */
export const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: { code?: string }) => error.code ?? error,
  )
