import type { IncomingMessage, ServerResponse } from 'node:http'
import { type SessionStore, timers } from '@session-stores/core'
import { TokenError } from '@session-stores/token'
import type { CookieOptions } from 'express-session'
import { addCookies, expire, rawCookies } from './cookies.ts'
import type { HttpRequest, StoredSession } from './framework.ts'
import type { PresetSettings } from './preset-options.ts'

// Fake timers of an application's tests must not hold an answer back.
const { setImmediate } = timers

/** What `sessions` decided for the requests that passed it. */
export interface Preset {
  settings: PresetSettings
  /** The attributes of the cookie. A browser clears a `__Host-` cookie only if they are repeated. */
  attributes: CookieOptions
  /** Why the browser gets no cookie over plain http, and what to write. */
  insecure: string
}

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
export function isLoaded(req: HttpRequest, { settings }: Preset): boolean {
  const [value = ''] = rawCookies(req, settings.name)
  // Other characters of the value need no decoding, and a broken cookie must not throw.
  return req.sessionID !== undefined && value.replace(/^s%3A/i, 's:').startsWith(`s:${req.sessionID}.`)
}

/** Marks a session that this request stored. */
const STORED: unique symbol = Symbol('session-stores stored')

export const markStored = (session: object): void =>
  void Object.defineProperty(session, STORED, { value: true, configurable: true })

/** Whether the session of the request has a row, as far as this request knows. */
export const isStored = (req: HttpRequest, preset: Preset): boolean =>
  isLoaded(req, preset) || (req.session != null && STORED in req.session)

/** Whether the browser will take a `Secure` cookie from the answer. */
export const takesCookies = (req: HttpRequest, { settings }: Preset): boolean =>
  settings.development || req.secure === true

/** @throws INSECURE_CONNECTION where express-session would silently set no cookie. */
export function requireSecure(req: HttpRequest, preset: Preset): void {
  if (!takesCookies(req, preset)) throw new TokenError('INSECURE_CONNECTION', preset.insecure)
}

/** Whether a session would be stored whose cookie the browser does not get. */
export const isCookieLost = (req: HttpRequest, preset: Preset): boolean =>
  req.session != null && !takesCookies(req, preset) && !isLoaded(req, preset) && !isEmpty(req.session)

/** Whether a session holds nothing but its cookie. */
export const isEmpty = (session: object): boolean => Object.keys(session).every((key) => key === 'cookie')

/** Gives the request a new session with a new id, which nobody knows yet. */
export function generate(req: HttpRequest, store: SessionStore): StoredSession {
  // The middleware of express-session sets this method; its types leave it out.
  ;(store as unknown as { generate(request: HttpRequest): void }).generate(req)
  const { session } = req
  saveOnce(session)
  return session
}

const textOf = (session: object): string => JSON.stringify({ ...session, cookie: undefined })

/**
 * Makes `save` do nothing where nothing changed since the last save. express-session saves a new
 * session again at the end of the response, although it was saved before.
 */
export function saveOnce(session: StoredSession): void {
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
      markStored(session)
      return save((error?: unknown) => {
        if (error == null) saved = text
        callback(error)
      })
    },
  })
}

/** Clears the session's cookie, older ones that are accepted in its place, and that of an access token. */
export const clearCookies = (req: HttpRequest, res: ServerResponse, preset: Preset): void =>
  addCookies(res, clearingLines(req, preset))

/** Returns the lines `Set-Cookie` of `clearCookies`. */
export function clearingLines(req: HttpRequest, { settings, attributes }: Preset): string[] {
  const { name, readAlso, development } = settings
  const present = [...readAlso, accessCookie(development)].filter(
    (other) => rawCookies(req, other).length > 0,
  )
  return [name, ...present].map((each) => expire(each, attributes))
}

/** Returns the name of the cookie that holds an access token, where the application asks for one. */
export const accessCookie = (development: boolean): string => (development ? 'access' : '__Host-access')
