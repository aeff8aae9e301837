import { type HttpRequest, type PassportSessionsOptions, securePassport } from '@session-stores/express/http'
import type { ParameterizedContext } from 'koa'

/**
 * Makes the `ctx.login` and `ctx.logout` of koa-passport safe on these sessions. A login serializes
 * the user first and stores the new session before the old one ends, so an error loses nothing. A
 * logout ends the session by one write, clears its cookie, and leaves no row behind. Neither keeps
 * what the session held before, but for `keep`.
 *
 * @param passport koa-passport 6: the default export, or a `KoaPassport` of your own.
 * @throws TypeError for something else, or for a wrong option.
 * @example
 * passportSessions(passport, { keep: ['cart', 'returnTo'] })
 * app.use(sessions({ store, secret })).use(passport.session())
 */
export const passportSessions = (passport: object, options: PassportSessionsOptions = {}): void =>
  securePassport<{ ctx: ParameterizedContext }>(
    { rawOf: ({ ctx }) => ctx.req as HttpRequest, takes: "koa-passport 6: install 'koa-passport@6'" },
    passport,
    options,
  )
