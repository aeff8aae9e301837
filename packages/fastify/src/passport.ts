import { makeLogins, type PassportSessionsOptions } from '@session-stores/express/http'
import type { FastifyRequest } from 'fastify'
import { rawOf } from './sign-in.ts'

/** The part of @fastify/passport that this uses. */
interface PassportLike {
  key: string
  sessionManager: object
  serializeUser(user: unknown, request: FastifyRequest): Promise<unknown>
}

/**
 * Makes the `request.logIn` and `request.logOut` of @fastify/passport safe on these sessions. A
 * login stores the new session before it resolves and before the old one ends, so an error loses
 * nothing. A logout ends the session by one write, clears its cookie, and leaves no row behind.
 * Neither keeps what the session held before, but for `keep`.
 *
 * @param passport @fastify/passport 4: the default export, or an `Authenticator` of your own.
 * @throws TypeError for something else, or for a wrong option.
 * @example
 * passportSessions(passport, { keep: ['cart', 'returnTo'] })
 * await app.register(sessions, { store, secret })
 * await app.register(passport.initialize())
 * await app.register(passport.secureSession())
 */
export function passportSessions(passport: object, options: PassportSessionsOptions = {}): void {
  const target = passport as PassportLike
  const manager = target?.sessionManager as { logIn?: unknown; logOut?: unknown } | undefined
  if (
    typeof manager?.logIn !== 'function' ||
    typeof manager.logOut !== 'function' ||
    typeof target.serializeUser !== 'function'
  )
    throw new TypeError("passportSessions takes @fastify/passport 4: install '@fastify/passport@4'")
  const { logIn, logOut } = makeLogins<FastifyRequest>(
    {
      rawOf,
      key: target.key,
      serialize: (user, request) => target.serializeUser(user, request),
      toValue: (serialized) => serialized,
    },
    options,
  )
  Object.assign(manager, { logIn, logOut: (request: FastifyRequest) => logOut(request) })
}
