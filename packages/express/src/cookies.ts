import type { IncomingMessage } from 'node:http'
import { TokenError } from '@session-stores/token'

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
  const [value, ...others] = rawCookies(req, name)
  if (others.length > 0)
    throw new TokenError('AMBIGUOUS', `the request has two cookies of the name '${name}'`)
  return value
}
