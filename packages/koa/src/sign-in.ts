import {
  type HttpRequest,
  type SignInOptions,
  type SignOutOptions,
  signIn as signInTo,
  signOut as signOutOf,
} from '@session-stores/express/http'
import type { SessionData } from 'express-session'
import type { ParameterizedContext } from 'koa'

/** Whatever an application has added to its contexts. */
type AnyContext = Pick<ParameterizedContext, 'req' | 'res'>

/**
 * Signs a user in: gives the request a session with a new id, because somebody may have planted the
 * old one (OWASP ASVS 5.0, 7.2.4), and stores it before it resolves, so that the next request finds
 * it. The old session ends last, so an error on the way loses nothing.
 *
 * @param data what the session holds from now on, by which the store's option `user` finds the user.
 * @throws INSECURE_CONNECTION, or the error of the store
 * @example
 * await signIn(ctx, { userId: user.id }, { keep: ['cart'] })
 * ctx.redirect('/')
 */
export const signIn = (
  ctx: AnyContext,
  data: Partial<SessionData>,
  options: SignInOptions = {},
): Promise<void> => signInTo(ctx.req as HttpRequest, data, options)

/**
 * Signs the user out: ends the session, so that its cookie and all its tokens open nothing any
 * more, then clears the cookie. Where the store fails, the cookie stays and the call rejects.
 *
 * @throws the error of the store, or a TypeError for `everywhere` without the store's option `user`
 * @example
 * await signOut(ctx)
 * ctx.redirect('/')
 */
export const signOut = (ctx: AnyContext, options: SignOutOptions = {}): Promise<void> =>
  signOutOf(ctx.req as HttpRequest, ctx.res, options)
