import type { IncomingMessage } from 'node:http'
import { type SessionStore, timers } from '@session-stores/core'
import { TokenError } from '@session-stores/token'
import type { CookieOptions, Request, Response } from 'express'
import type { Session, SessionData } from 'express-session'
import { rawCookies } from './cookies.ts'
import type { PresetSettings } from './preset-options.ts'

// Fake timers of an application's tests must not hold an answer back.
const { setImmediate } = timers

/** What `sessions` decided for the requests that passed it. */
export interface Preset {
  settings: PresetSettings
  /** The attributes of the cookie. A browser clears a `__Host-` cookie only if they are repeated. */
  attributes: CookieOptions
}

export type StoredSession = Session & Partial<SessionData>

/** A property of the request, because a WeakMap of requests costs the garbage collector more. */
const PRESET: unique symbol = Symbol('session-stores preset')

interface PresetRequest extends IncomingMessage {
  [PRESET]?: Preset
}

export function setPreset(req: PresetRequest, preset: Preset): void {
  req[PRESET] = preset
}

/** @throws TypeError where the request did not pass `sessions`. */
export function presetOf(req: IncomingMessage): Preset {
  const preset = findPreset(req)
  if (preset === undefined) throw new TypeError('mount sessions({ store, secret }) before this call')
  return preset
}

/** Returns the preset of the request, or `undefined` where it did not pass `sessions`. */
export const findPreset = (req: PresetRequest): Preset | undefined => req[PRESET]

/** Whether the session came from the store: the cookie of the request holds its id. */
export function isLoaded(req: Request, { settings }: Preset): boolean {
  const [value = ''] = rawCookies(req, settings.name)
  // Other characters of the value need no decoding, and a broken cookie must not throw.
  return req.sessionID !== undefined && value.replace(/^s%3A/i, 's:').startsWith(`s:${req.sessionID}.`)
}

/** Whether the browser will take a `Secure` cookie from the answer. */
export const takesCookies = (req: Request, { settings }: Preset): boolean =>
  settings.development || req.secure

/** @throws INSECURE_CONNECTION where express-session would silently set no cookie. */
export function requireSecure(req: Request, preset: Preset): void {
  if (!takesCookies(req, preset)) throw new TokenError('INSECURE_CONNECTION', INSECURE)
}

export const INSECURE: string =
  'The session cookie is Secure, and this request came over plain http. Behind a proxy that ends https, ' +
  "write app.set('trust proxy', 1). On http://localhost, write sessions({ …, development: true })."

/** Gives the request a new session with a new id, which nobody knows yet. */
export function generate(req: Request, store: SessionStore): StoredSession {
  // The middleware of express-session sets this method; its types leave it out.
  ;(store as unknown as { generate(request: Request): void }).generate(req)
  const session = req.session as StoredSession
  saveOnce(session)
  return session
}

const textOf = (session: object): string => JSON.stringify({ ...session, cookie: undefined })

/**
 * Makes `save` do nothing where nothing changed since the last save. express-session saves a new
 * session again at the end of the response, although it was saved before.
 */
function saveOnce(session: StoredSession): void {
  const save = session.save.bind(session)
  let saved = textOf(session)
  Object.defineProperty(session, 'save', {
    configurable: true,
    writable: true,
    value(callback: (error?: unknown) => void = () => {}) {
      const text = textOf(session)
      if (text === saved) {
        setImmediate(callback)
        return session
      }
      return save((error?: unknown) => {
        if (error == null) saved = text
        callback(error)
      })
    },
  })
}

/** Clears the session's cookie, older ones that are accepted in its place, and that of an access token. */
export function clearCookies(req: Request, res: Response, { settings, attributes }: Preset): void {
  const { name, readAlso, development } = settings
  const present = [...readAlso, accessCookie(development)].filter(
    (other) => rawCookies(req, other).length > 0,
  )
  for (const each of [name, ...present]) res.clearCookie(each, attributes)
}

/** Returns the name of the cookie that holds an access token, where the application asks for one. */
export const accessCookie = (development: boolean): string => (development ? 'access' : '__Host-access')
