import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryDriver, SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { onTestFinished } from 'vitest'
import { type AppOptions, createApp } from '../../src/app.ts'
import { makeTokens } from '../../src/tokens.ts'
import { Users } from '../../src/users.ts'

export const password = 'correct horse battery'

/** The cost of one hash: an eighth of the application's, because that makes the tests faster. */
export const cost: number = 2 ** 14

/** A secret as the application makes it. */
export const secret = 'vY3pQx7LwT9mKc2RzNf8HsJd4BgA6uEo'

export const userOf = (session: SessionData): string | undefined => session.passport?.user

export interface Served {
  /**
   * The origin has an address because names would be looked up in the thread pool that hashes
   * passwords.
   */
  origin: string
  server: Server
  store: SessionStore
}

/** Serves the application from memory until the test ends, without a limit for each address. */
export async function serve(options: Partial<AppOptions> = {}): Promise<Served> {
  const {
    store = new SessionStore(memoryDriver(), { user: userOf }),
    users = new Users(':memory:', { cost }),
    tokens = makeTokens(store, secret),
  } = options
  const app = createApp({ secret, triesPerAddress: 1000, ...options, store, users, tokens })
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    tokens.close()
    await store.close()
    users.close()
  })
  await once(server, 'listening')
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, store }
}
