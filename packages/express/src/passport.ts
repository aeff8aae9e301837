import type { Request } from 'express'
import { EXPRESS } from './framework.ts'
import { type PassportSessionsOptions, securePassport } from './http/passport.ts'

/**
 * Makes the `req.logIn` and `req.logOut` of Passport safe on these sessions. A login serializes the
 * user first and stores the new session before the old one ends, so an error loses nothing. A
 * logout ends the session by one write, clears its cookie, and leaves no row behind. Neither keeps
 * what the session held before, but for `keep`.
 *
 * @param passport Passport 0.7: the default export, or a `Passport` of your own.
 * @throws TypeError for another version of Passport, or for a wrong option.
 * @example
 * passportSessions(passport, { keep: ['cart', 'returnTo'] })
 * app.use(sessions({ store, secret }), passport.session())
 */
export const passportSessions = (passport: object, options: PassportSessionsOptions = {}): void =>
  securePassport<Request>({ ...EXPRESS, takes: "passport 0.7: install 'passport@0.7'" }, passport, options)
