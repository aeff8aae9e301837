import { Redis } from 'ioredis'

/** A connection of the driver's own, which lets the process exit while nobody waits for an answer. */
export interface Connection {
  client: Redis
  /** Keeps the process alive until `release` was called as often. */
  hold(): void
  release(): void
}

/**
 * Connects with the first command, and again whenever the connection breaks, for ever; a command that fails
 * thrice to reach the server is an error, so that nobody waits for a server that is down.
 */
export function connection(url: string): Connection {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 3000,
    maxRetriesPerRequest: 2,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), 1000),
  })
  let waiting = 0
  const settle = (): void => {
    if (waiting > 0) client.stream?.ref()
    else client.stream?.unref()
  }
  // Every command that fails reports the error; without a listener ioredis would print it, too.
  client.on('error', () => {})
  client.on('connect', settle)
  client.on('ready', settle)
  return {
    client,
    hold() {
      if (waiting++ === 0) settle()
    },
    release() {
      if (--waiting === 0) settle()
    },
  }
}
