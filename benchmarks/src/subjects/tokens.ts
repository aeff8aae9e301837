import { createSecretKey, randomBytes } from 'node:crypto'
import { memoryDriver, SessionStore, type StoreOptions } from '@session-stores/core'
import { authenticate, sessions } from '@session-stores/express'
import { type DatabaseId, databaseIds } from '@session-stores/testbed/databases'
import { Tokens } from '@session-stores/token'
import express, { type Express } from 'express'
import { jwtVerify, SignJWT } from 'jose'
import { expressSession, makeApplication } from '../child/application.ts'
import { contentsOf, createSession, MAX_AGE } from '../child/sessions.ts'
import type { Open, Place, Subject, Subjects } from './subject.ts'

/** Who is measured beside others by access tokens: see `Subject.makeVerify`. */

const common = { issuer: 'benchmark', audience: 'benchmark' }
const secret = randomBytes(32)
const ofUser: StoreOptions = { user: (data) => data.user }

function openInMemory(): SessionStore {
  return new SessionStore(memoryDriver(), ofUser)
}

async function openOn(database: DatabaseId, { urls, folder }: Place): Promise<SessionStore> {
  switch (database) {
    case 'redis':
      return new (await import('@session-stores/redis')).RedisStore({ url: urls[0]!, ...ofUser })
    case 'mongodb':
      return new (await import('@session-stores/mongodb')).MongoStore({ url: urls[0]!, ...ofUser })
    case 'postgres':
      return new (await import('@session-stores/postgres')).PostgresStore({ url: urls[0]!, ...ofUser })
    case 'sqlite':
      return new (await import('@session-stores/sqlite')).SqliteStore({
        path: `${folder}/sessions.db`,
        ...ofUser,
      })
  }
}

const issueAll = (tokens: Tokens, ids: readonly string[]): Promise<string[]> =>
  Promise.all(ids.map(async (sessionID) => (await tokens.fromSession({ sessionID })).accessToken))

/** Verifies the tokens of the sessions. */
const byTokens = (store: SessionStore, freshness: number | false, cacheSize?: number): Subject => ({
  store,
  async makeVerify(ids) {
    // The tokens must not expire during a run.
    const lifetime = { lifetime: MAX_AGE, longLived: true }
    const tokens = new Tokens({
      store,
      secret,
      freshness,
      ...common,
      ...lifetime,
      ...(cacheSize && { cacheSize }),
    })
    const issued = await issueAll(tokens, ids)
    return async (position) => (await tokens.verify(issued[position]!)).sub
  },
})

/** Verifies with jose what `Tokens` verifies, with the same algorithm. */
function byJose(): Subject {
  const store = openInMemory()
  return {
    store,
    async makeVerify(ids) {
      const key = await crypto.subtle.importKey(
        'raw',
        createSecretKey(secret).export(),
        { name: 'HMAC', hash: 'SHA-256' },
        false,
        ['sign', 'verify'],
      )
      const issued = await Promise.all(
        ids.map(async (id) => {
          const data = await store.get(id)
          const claims = { sub: data!.user, sid: store.handle(id), client_id: 'session', jti: id }
          return new SignJWT(claims)
            .setProtectedHeader({ alg: 'HS256', kid: 'benchmark-key-1', typ: 'at+jwt' })
            .setIssuer(common.issuer)
            .setAudience(common.audience)
            .setIssuedAt()
            .setExpirationTime('1d')
            .sign(key)
        }),
      )
      const options = {
        ...common,
        algorithms: ['HS256'],
        typ: 'at+jwt',
        requiredClaims: ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'sid'],
        clockTolerance: 5,
      }
      return async (position) => (await jwtVerify(issued[position]!, async () => key, options)).payload.sub!
    },
  }
}

const byLookup = (store: SessionStore): Subject => ({
  store,
  makeVerify: async (ids) => async (position) => {
    const id = ids[position]!
    return createSession(store, id, (await store.get(id))!).user
  },
})

/** The applications: each answers `GET /` with the marker that `POST /sign-in` returned. */
const applications: Readonly<Record<string, (store: SessionStore) => Express>> = {
  open() {
    const app = express()
    // The requests are as large as those with an access token, so that the check alone differs.
    app.post('/sign-in', (_req, res) => void res.set('X-Token', 'x'.repeat(430)).send('benchmark'))
    app.get('/', (_req, res) => void res.send('benchmark\n'))
    return app
  },
  session: (store) => makeApplication(expressSession(store), PAYLOAD),
  preset: (store) =>
    makeApplication(sessions({ store, secret: SECRET, maxAge: MAX_AGE, development: true }), PAYLOAD),
  token: (store) => withTokens(store, 1000),
  asking: (store) => withTokens(store, 0),
}

const SECRET = 'jT7PqE2vXr9WmKf4LzB8nYcD5sGhA1uQ'
const PAYLOAD = 200

function withTokens(store: SessionStore, freshness: number): Express {
  const tokens = new Tokens({ store, secret, freshness, ...common })
  const app = express()
  app.post('/sign-in', async (_req, res) => {
    const id = randomBytes(12).toString('base64url')
    const data = contentsOf(id, PAYLOAD)
    const { accessToken } = await tokens.grant(data, { client: 'benchmark' })
    res.set('X-Token', accessToken).send(data.user)
  })
  app.get('/', authenticate(tokens), (req, res) => void res.send(`${req.auth!.user}\n`))
  return app
}

const onEach = (name: string, make: (store: SessionStore) => Subject): [string, Open][] =>
  databaseIds.map((id) => [`${name}-${id}`, async (place) => make(await openOn(id, place))])

export const tokenSubjects: Subjects = {
  'tokens-jose': async () => byJose(),
  // Only one token is remembered, so each one is new.
  'tokens-first': async () => byTokens(openInMemory(), false, 1),
  'tokens-cached': async () => byTokens(openInMemory(), false),
  ...Object.fromEntries([
    ...onEach('tokens-lookup', byLookup),
    ...onEach('tokens-second', (store) => byTokens(store, 1000)),
    ...onEach('tokens-asking', (store) => byTokens(store, 0)),
    ...Object.entries(applications).flatMap(([name, make]) =>
      onEach(`app-${name}`, (store) => ({ store, makeApplication: () => make(store) })),
    ),
  ]),
}
