export type {
  Auth,
  AuthenticateOptions,
  CredentialSource,
  PassportSessionsOptions,
  PromisedSession,
  SameOriginOptions,
  SessionCalls,
  SessionsOptions,
  SignInOptions,
  SignOutOptions,
} from '@session-stores/express/http'
export { authenticate } from './authenticate.ts'
export { passportSessions } from './passport.ts'
export { sameOrigin } from './same-origin.ts'
export { type SessionContext, sessions } from './sessions.ts'
export { signIn, signOut } from './sign-in.ts'
export { type TokenRoutesOptions, tokenRoutes } from './token-routes.ts'
