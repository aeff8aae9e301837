import type { ServerResponse } from 'node:http'
import type { Session, SessionData } from 'express-session'
import onHeaders from 'on-headers'
import { appendCookies } from './cookies.ts'
import type { HttpRequest, StoredSession } from './framework.ts'
import {
  clearCookies,
  clearingLines,
  findPreset,
  generate,
  isEmpty,
  isLoaded,
  isStored,
  markStored,
  saveOnce,
} from './preset.ts'
import { pick } from './sign-in.ts'
import { promised } from './store-errors.ts'

/** The session of a request, whose methods return promises. Its keys are the data. */
export type PromisedSession = Omit<Session, keyof SessionCalls> & Partial<SessionData> & SessionCalls

/** What can be done with the session of a request. */
export interface SessionCalls {
  /**
   * Ends the session and gives the request a new one with a new id, which holds these keys of the old
   * one. Nothing is stored, and the cookie is cleared, where the new one stays empty.
   */
  regenerate(keep?: readonly string[]): Promise<void>
  /** Stores the session now, and not at the end of the answer. */
  save(): Promise<void>
  /** Ends the session, and clears its cookie. */
  destroy(): Promise<void>
  /** Reads the session again, into a new object. */
  reload(): Promise<void>
}

type Callback = (error?: unknown) => void

const PROMISED: unique symbol = Symbol('session-stores promises')

/**
 * Adds promises to the session of the request: a method without a callback returns one. Libraries
 * that pass callbacks, as Passport does, get what express-session does.
 *
 * @param makeMore makes further methods of the session, which cannot be overwritten
 */
export function withPromises(
  req: HttpRequest,
  makeMore: (session: StoredSession) => object = () => ({}),
): PromisedSession | undefined {
  const session = req.session as (StoredSession & { [PROMISED]?: true }) | undefined | null
  if (session == null) return undefined
  if (session[PROMISED]) return session as unknown as PromisedSession
  const calls: Record<keyof SessionCalls, (keep?: readonly string[]) => Promise<void>> = {
    regenerate: (keep = []) => regenerate(req, session, keep),
    destroy: () => endSession(req, session),
    save: () => promised((callback) => session.save(callback)),
    reload: () => promised((callback) => session.reload(callback)),
  }
  for (const [name, call] of Object.entries(calls)) {
    const original = session[name as keyof SessionCalls] as (callback: Callback) => unknown
    hide(session, name, (first?: Callback | readonly string[]) => {
      if (typeof first !== 'function') return call(first)
      if (name === 'save') markStored(session)
      return original.call(session, first)
    })
  }
  // A key of the application's data with such a name stays, and a new one is an error, not lost.
  for (const [name, value] of Object.entries(makeMore(session)))
    if (!Object.hasOwn(session, name)) Object.defineProperty(session, name, { value, configurable: true })
  hide(session, PROMISED, true)
  return session as unknown as PromisedSession
}

/** The store and the hash of express-session see enumerable properties only. */
const hide = (session: object, name: string | symbol, value: unknown): void =>
  void Object.defineProperty(session, name, { value, configurable: true, writable: true })

async function regenerate(req: HttpRequest, before: StoredSession, keep: readonly string[]): Promise<void> {
  const preset = findPreset(req)
  const kept = pick(before, keep)
  if (preset === undefined) {
    await replace(req, before)
    Object.assign(req.session, kept)
    return
  }
  const lines = isLoaded(req, preset) ? clearingLines(req, preset) : []
  // What was never stored need not be ended.
  if (!isStored(req, preset)) generate(req, preset.settings.store)
  else {
    await replace(req, before)
    saveOnce(req.session)
  }
  Object.assign(req.session, kept)
  if (req.res) dropIfEmpty(req, req.res, lines)
}

/** Where the store fails, the request keeps its session: express-session would give it another one. */
async function replace(req: HttpRequest, before: StoredSession): Promise<void> {
  const { sessionID: id } = req
  try {
    await promised((callback) => before.regenerate(callback))
  } catch (error) {
    req.sessionID = id
    req.session = before
    throw error
  }
}

/**
 * Ends the session of a request, which then has none.
 *
 * @throws the error of the store
 */
export async function endSession(req: HttpRequest, session: StoredSession): Promise<void> {
  const preset = findPreset(req)
  const destroy = Object.getPrototypeOf(session).destroy as Session['destroy']
  await promised((callback) => destroy.call(session, callback))
  if (preset && req.res) clearCookies(req, req.res, preset)
}

/**
 * Sets no cookie for a new session that is still empty when the headers are written. It is not
 * stored, either, because a session of `generate` saves nothing where nothing changed.
 *
 * @param lines the lines `Set-Cookie` for the case that it is empty
 */
export function dropIfEmpty(req: HttpRequest, res: ServerResponse, lines: readonly string[] = []): void {
  const { session } = req
  onHeaders(res, () => {
    if (req.session !== session || !isEmpty(session)) return
    req.session = undefined as never
    if (lines.length > 0) appendCookies(res, lines)
  })
}
