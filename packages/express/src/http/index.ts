/** What the packages for Express, Koa and Fastify share. Applications use one of those. */
export { type JsonAnswer, toAnswer } from './answers.ts'
export {
  type Auth,
  type AuthenticateOptions,
  type CredentialSource,
  makeAuthenticator,
} from './authenticator.ts'
export type { Framework, HttpRequest, StoredSession } from './framework.ts'
export { type HttpMiddleware, makeMiddleware } from './middleware.ts'
export { makeOriginCheck, type SameOriginOptions } from './origin.ts'
export {
  type LoginOptions,
  type Logins,
  makeLogins,
  type PassportFor,
  type PassportSessionsOptions,
  securePassport,
} from './passport.ts'
export { findPreset, isCookieLost, type Preset, presetOf } from './preset.ts'
export type { PresetSettings, SessionsOptions } from './preset-options.ts'
export { endSession, type PromisedSession, type SessionCalls, withPromises } from './promised.ts'
export { type SignInOptions, type SignOutOptions, signIn, signOut } from './sign-in.ts'
export {
  BODY_LIMIT,
  makeTokenEndpoints,
  type TokenEndpoint,
  type TokenRoutesOptions,
  unreadableBody,
} from './token-endpoints.ts'
