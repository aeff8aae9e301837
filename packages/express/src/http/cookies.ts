import type { IncomingMessage, ServerResponse } from 'node:http'
import { TokenError } from '@session-stores/token'
import session, { type CookieOptions } from 'express-session'
import onHeaders from 'on-headers'

/**
 * Returns the values of all cookies with this name, as they were sent. Browsers compare the prefix
 * `__Host-` without regard to case, but servers must not.
 */
export function rawCookies({ headers }: Pick<IncomingMessage, 'headers'>, name: string): string[] {
  const pairs = headers.cookie?.split(';') ?? []
  return pairs
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
}

/**
 * Returns the value of the only cookie with this name. Where there are two, somebody may have
 * planted one of them.
 *
 * @throws AMBIGUOUS
 */
export function onlyCookie(req: Pick<IncomingMessage, 'headers'>, name: string): string | undefined {
  const { cookie } = req.headers
  const begin = `${name}=`
  const start = cookie === undefined ? -1 : cookie.indexOf(begin)
  if (start === -1) return undefined
  // Nearly every header is written like this. To take it apart would cost each request more.
  const isPair = start === 0 || cookie!.startsWith('; ', start - 2)
  if (isPair && cookie!.indexOf(begin, start + 1) === -1) {
    const end = cookie!.indexOf(';', start)
    return cookie!.slice(start + begin.length, end === -1 ? undefined : end).trimEnd()
  }
  const [value, ...others] = rawCookies(req, name)
  if (others.length > 0)
    throw new TokenError('AMBIGUOUS', `the request has two cookies of the name '${name}'`)
  return value
}

/** The class of express-session, which writes the session's own cookie. Its types leave this out. */
const Cookie = session.Cookie as unknown as new (
  options: CookieOptions,
) => { serialize(name: string, value: string): string }

/** Returns a line `Set-Cookie`. */
export const serialize = (name: string, value: string, options: CookieOptions): string =>
  new Cookie(options).serialize(name, value)

/** Returns the line that clears a cookie. */
export const expire = (name: string, options: CookieOptions): string =>
  serialize(name, '', { ...options, expires: new Date(0) })

/**
 * Adds lines `Set-Cookie` when the headers are written: a framework that keeps headers of its own
 * would replace them, and one that answers an error would remove them.
 */
export const addCookies = (res: ServerResponse, lines: readonly string[]): void =>
  onHeaders(res, () => appendCookies(res, lines))

/** Adds lines `Set-Cookie` while the headers are being written. */
export function appendCookies(res: ServerResponse, lines: readonly string[]): void {
  const before = [res.getHeader('Set-Cookie') ?? []].flat().map(String)
  res.setHeader('Set-Cookie', [...before, ...lines])
}
