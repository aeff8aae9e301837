import { checkOptions, type OptionRule, timers } from '@session-stores/core'
import type { Request } from 'express'
import type { SessionData } from 'express-session'
import onHeaders from 'on-headers'
import { clearCookies, generate, presetOf, type StoredSession } from './preset.ts'
import { pick, signIn } from './sign-in.ts'
import { asking, promised } from './store-errors.ts'

const { setImmediate } = timers

/** What `passportSessions` takes. */
export interface PassportSessionsOptions {
  /**
   * The keys of the session that a login and a logout keep, such as `['cart', 'returnTo']`. The
   * option `keepSessionInfo` of Passport keeps all of them.
   *
   * @default []
   */
  keep?: readonly string[]
}

type Callback = (error?: unknown) => void

interface CallOptions {
  keepSessionInfo?: boolean
}

/** The part of Passport 0.7 that this uses. The session manager is not documented. */
interface PassportLike {
  _key: string
  _sm: { logIn: unknown; logOut: unknown }
  serializeUser(user: unknown, req: Request, done: (error: unknown, serialized?: unknown) => void): void
}

const rules: Record<keyof PassportSessionsOptions, OptionRule> = {
  keep: [
    "an array of keys of the session, such as ['cart']",
    (value) => Array.isArray(value) && value.every((key) => typeof key === 'string'),
  ],
}

/** Passport adds a message for each login that fails, and never removes one. */
const MAX_MESSAGES = 5

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
export function passportSessions(passport: object, options: PassportSessionsOptions = {}): void {
  checkOptions(options, rules)
  const { keep = [] } = options
  const target = passport as PassportLike
  if (
    typeof target?._sm?.logIn !== 'function' ||
    typeof target._sm.logOut !== 'function' ||
    typeof target._key !== 'string'
  )
    throw new TypeError("passportSessions takes passport 0.7: install 'passport@0.7'")

  async function logIn(req: Request, user: unknown, { keepSessionInfo }: CallOptions): Promise<void> {
    const serialized = await new Promise((resolve, reject) => {
      target.serializeUser(user, req, (error, value) => (error ? reject(error) : resolve(value)))
    })
    const data = { [target._key]: { user: serialized } } as unknown as Partial<SessionData>
    await signIn(req, data, { keep: keepSessionInfo ? keysOf(req.session) : keep })
  }

  async function logOut(req: Request, { keepSessionInfo }: CallOptions): Promise<void> {
    const preset = presetOf(req)
    const { session: before, sessionID: id } = req
    const kept = pick(before, keepSessionInfo ? keysOf(before) : keep)
    await asking(preset.settings.store.destroy(id))
    const { res } = req
    if (res) clearCookies(req, res, preset)
    const session = generate(req, preset.settings.store)
    Object.assign(session, kept)
    if (Object.keys(kept).length > 0) await promised((callback) => session.save(callback))
    // express-session would set the cookie of the new session although it is empty and not stored.
    else if (res) onHeaders(res, () => dropEmpty(req, session))
  }

  const keysOf = (session: StoredSession): string[] => {
    trimMessages(session)
    return Object.keys(session).filter((key) => key !== target._key)
  }

  target._sm = {
    logIn: (req: Request, user: unknown, options: CallOptions | Callback, done?: Callback) =>
      call((settings) => logIn(req, user, settings), options, done),
    logOut: (req: Request, options: CallOptions | Callback, done?: Callback) =>
      call((settings) => logOut(req, settings), options, done),
  }
}

/** Passport passes the options and the callback, or the callback alone. */
function call(
  act: (options: CallOptions) => Promise<void>,
  options: CallOptions | Callback,
  done?: Callback,
): void {
  const callback = typeof options === 'function' ? options : done!
  const settings = typeof options === 'function' ? {} : options
  // The callback runs outside of the promise, so that what it throws is not taken for a failure.
  act(settings).then(
    () => setImmediate(callback),
    (error: unknown) => setImmediate(callback, error),
  )
}

function trimMessages(session: StoredSession): void {
  const { messages } = session as { messages?: unknown }
  if (Array.isArray(messages)) messages.splice(0, messages.length - MAX_MESSAGES)
}

function dropEmpty(req: Request, session: StoredSession): void {
  const isEmpty = Object.keys(session).every((key) => key === 'cookie')
  if (req.session === session && isEmpty) req.session = undefined as never
}
