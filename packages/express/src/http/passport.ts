import { checkOptions, type OptionRule, timers } from '@session-stores/core'
import type { SessionData } from 'express-session'
import type { Framework, StoredSession } from './framework.ts'
import { clearCookies, generate, presetOf } from './preset.ts'
import { dropIfEmpty } from './promised.ts'
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

const rules: Record<keyof PassportSessionsOptions, OptionRule> = {
  keep: [
    "an array of keys of the session, such as ['cart']",
    (value) => Array.isArray(value) && value.every((key) => typeof key === 'string'),
  ],
}

/** Passport adds a message for each login that fails, and never removes one. */
const MAX_MESSAGES = 5

/** The logins of a passport for some framework. `Source` is what it takes for the request. */
export interface PassportFor<Source> extends Pick<Framework<Source>, 'rawOf'> {
  /** The key of the session that says who is logged in. */
  key: string
  serialize(user: unknown, source: Source): Promise<unknown>
  /** Returns what is stored at the key. */
  toValue(serialized: unknown): unknown
}

/** What one login or logout takes, as with Passport itself. */
export interface LoginOptions {
  keepSessionInfo?: boolean
}

/** A login and a logout that change the session safely. */
export interface Logins<Source> {
  /** Serializes the user first, and stores the new session before the old one ends. */
  logIn(source: Source, user: unknown, options?: LoginOptions): Promise<void>
  /** Ends the session by one write and clears its cookie. */
  logOut(source: Source, options?: LoginOptions): Promise<void>
}

/**
 * Makes the logins and logouts of a passport.
 *
 * @throws TypeError for a wrong option.
 */
export function makeLogins<Source>(
  { rawOf, key, serialize, toValue }: PassportFor<Source>,
  options: PassportSessionsOptions,
): Logins<Source> {
  checkOptions(options, rules)
  const { keep = [] } = options

  const keysOf = (session: StoredSession): string[] => {
    trimMessages(session)
    return Object.keys(session).filter((each) => each !== key)
  }

  return {
    async logIn(source, user, { keepSessionInfo } = {}) {
      const serialized = await serialize(user, source)
      const req = rawOf(source)
      const data = { [key]: toValue(serialized) } as Partial<SessionData>
      await signIn(req, data, { keep: keepSessionInfo ? keysOf(req.session) : keep })
    },

    async logOut(source, { keepSessionInfo } = {}) {
      const req = rawOf(source)
      const preset = presetOf(req)
      const { session: before, sessionID: id, res } = req
      const kept = pick(before, keepSessionInfo ? keysOf(before) : keep)
      await asking(preset.settings.store.destroy(id))
      if (res) clearCookies(req, res, preset)
      const session = generate(req, preset.settings.store)
      Object.assign(session, kept)
      if (Object.keys(kept).length > 0) await promised((callback) => session.save(callback))
      else if (res) dropIfEmpty(req, res)
    },
  }
}

/** The part of Passport that this uses. The session manager is not documented. */
interface PassportLike {
  _key: string
  _sm: { logIn: unknown; logOut: unknown }
  serializeUser(user: unknown, req: object, done: (error: unknown, serialized?: unknown) => void): void
}

/**
 * Makes the logins and logouts of Passport safe on these sessions.
 *
 * @param takes which Passport that is, for the message
 * @throws TypeError for another version of Passport, or for a wrong option.
 */
export function securePassport<Source extends object>(
  { rawOf, takes }: Pick<Framework<Source>, 'rawOf'> & { takes: string },
  passport: object,
  options: PassportSessionsOptions,
): void {
  const target = passport as PassportLike
  if (
    typeof target?._sm?.logIn !== 'function' ||
    typeof target._sm.logOut !== 'function' ||
    typeof target._key !== 'string'
  )
    throw new TypeError(`passportSessions takes ${takes}`)
  const { logIn, logOut } = makeLogins<Source>(
    {
      rawOf,
      key: target._key,
      serialize: (user, source) =>
        new Promise((resolve, reject) => {
          target.serializeUser(user, source, (error, value) => (error ? reject(error) : resolve(value)))
        }),
      toValue: (user) => ({ user }),
    },
    options,
  )
  target._sm = {
    logIn: (source: Source, user: unknown, settings: LoginOptions | Callback, done?: Callback) =>
      call((chosen) => logIn(source, user, chosen), settings, done),
    logOut: (source: Source, settings: LoginOptions | Callback, done?: Callback) =>
      call((chosen) => logOut(source, chosen), settings, done),
  }
}

/** Passport passes the options and the callback, or the callback alone. */
function call(
  act: (options: LoginOptions) => Promise<void>,
  options: LoginOptions | Callback,
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
