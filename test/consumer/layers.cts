// An application for every compiler and module setting. It uses what is above the stores.
import { type CallEvent, memoryDriver, SessionStore } from '@session-stores/core'
import { authenticate, sameOrigin, sessions, signIn, signOut, tokenRoutes } from '@session-stores/express'
import { connectMongo, connectPgSimple, connectRedis, migrate } from '@session-stores/legacy'
import { generateKey, TokenError, Tokens } from '@session-stores/token'

import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { Pool } from 'pg'

declare module 'express-session' {
  interface SessionData {
    userId?: string
  }
}

const store = new SessionStore(memoryDriver(), { user: ({ userId }) => userId })
const secret = 'a secret of an application'
const tokens = new Tokens({
  store,
  issuer: 'https://example.com',
  audience: 'api',
  secret,
  keys: [generateKey()],
})

export const handlers: unknown[] = [
  sessions({ store, secret, maxAge: 60_000, readAlso: ['connect.sid'] }),
  sameOrigin({ trusted: ['https://app.example.com'] }),
  authenticate(tokens, { from: ['header', 'cookie'], freshness: 0 }),
  tokenRoutes(tokens, { cookie: true }),
]

export const mistakes: unknown[] = [
  // @ts-expect-error: a misspelt option
  () => sessions({ store, secret, samesite: 'lax' }),
  // @ts-expect-error: an option that is missing
  () => new Tokens({ store, issuer: 'https://example.com', audience: 'api' }),
]

export async function use(
  req: Parameters<typeof signOut>[0],
  res: Parameters<typeof signOut>[1],
  event: CallEvent,
): Promise<string> {
  await signIn(req, { userId: 'ada' })
  await signOut(req, res)
  const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
  const claims = await tokens.verify(accessToken).catch((error) => {
    if (error instanceof TokenError) console.log(error.code, event.duration)
  })
  const until = new Date(0)
  const moved = new SessionStore(memoryDriver(), {
    legacy: { from: connectRedis({ client: new Redis() }), until, keep: true },
  })
  await migrate(moved, connectMongo({ client: new MongoClient('mongodb://localhost') }), { rate: 100 })
  await migrate(moved, connectPgSimple({ pool: new Pool() }))
  return claims?.sub ?? ''
}
