import type { CookieOptions } from 'express'

export interface Cookies {
  session: string
  csrf: string
  /**
   * The attributes of both cookies. A browser clears a `__Host-` cookie only if they are repeated.
   */
  attributes: CookieOptions
}

/**
 * Returns the names and attributes of the cookies. Because of the `__Host-` prefix, neither a
 * sibling domain nor plain HTTP can plant a cookie.
 */
export function nameCookies(isSecure: boolean): Cookies {
  const prefix = isSecure ? '__Host-' : ''
  return {
    session: `${prefix}session`,
    csrf: `${prefix}csrf`,
    attributes: { httpOnly: true, sameSite: 'lax', secure: isSecure, path: '/' },
  }
}
