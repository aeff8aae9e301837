export type { AccessClaims, AccessToken } from './access.ts'
export { TokenError, type TokenErrorCode } from './errors.ts'
export { type ReuseEvent, reuse } from './events.ts'
export type { TokenFamily } from './families.ts'
export { type Algorithm, generateKey, type KeyInput, type PublishedKey } from './keys.ts'
export type { TokensOptions } from './options.ts'
export { type Decision, decide, type Generation } from './rotation.ts'
export {
  type Introspection,
  type SessionRequest,
  type TokenPair,
  Tokens,
  type VerifyOptions,
} from './tokens.ts'
