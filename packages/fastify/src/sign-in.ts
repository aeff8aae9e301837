import {
  findPreset,
  type HttpRequest,
  type SignInOptions,
  type SignOutOptions,
  signIn as signInTo,
  signOut as signOutOf,
} from '@session-stores/express/http'
import type { SessionData } from 'express-session'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Signs a user in: gives the request a session with a new id, because somebody may have planted the
 * old one (OWASP ASVS 5.0, 7.2.4), and stores it before it resolves, so that the next request finds
 * it. The old session ends last, so an error on the way loses nothing.
 *
 * @param data what the session holds from now on, by which the store's option `user` finds the user.
 * @throws INSECURE_CONNECTION, or the error of the store
 * @example
 * await signIn(request, { userId: user.id }, { keep: ['cart'] })
 * return reply.redirect('/', 303)
 */
export async function signIn(
  request: FastifyRequest,
  data: Partial<SessionData>,
  options: SignInOptions = {},
): Promise<void> {
  await signInTo(rawOf(request), data, options)
}

/**
 * Signs the user out: ends the session, so that its cookie and all its tokens open nothing any
 * more, then clears the cookie. Where the store fails, the cookie stays and the call rejects.
 *
 * @throws the error of the store, or a TypeError for `everywhere` without the store's option `user`
 * @example
 * await signOut(request, reply)
 * return reply.redirect('/', 303)
 */
export async function signOut(
  request: FastifyRequest,
  reply: FastifyReply,
  options: SignOutOptions = {},
): Promise<void> {
  await signOutOf(rawOf(request), reply.raw, options)
}

/** @throws TypeError where `sessions` is not registered. */
export function rawOf(request: FastifyRequest): HttpRequest {
  const req = request.raw as HttpRequest
  if (findPreset(req) === undefined)
    throw new TypeError(
      'write await app.register(sessions, { store, secret }) before the routes that need it',
    )
  return req
}
