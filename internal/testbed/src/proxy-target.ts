/**
 * The server behind a proxy: a URL, or a port on `host`, which is 127.0.0.1 by default.
 * Every server of the testbed is a target.
 */
export type Target = string | { readonly port: number; readonly host?: string; readonly url?: string }

const standardPorts: Readonly<Record<string, number>> = {
  'redis:': 6379,
  'postgres:': 5432,
  'postgresql:': 5432,
  'mongodb:': 27_017,
}

/** Returns the host and port of a target. */
export function toAddress(target: Target): { host: string; port: number } {
  if (typeof target !== 'string') return { host: target.host ?? '127.0.0.1', port: target.port }
  const { hostname, port, protocol } = new URL(target)
  // A URL encloses an IPv6 address in brackets.
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || standardPorts[protocol]! }
}
