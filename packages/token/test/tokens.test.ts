import { memoryDriver, SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { TokenError, type TokensOptions } from '../src/index.ts'
import { openInMemory, tokensForTest } from './support/databases.ts'
import { AUDIENCE, codeOf, ISSUER, secrets } from './support/tokens.ts'

function open(options: Partial<TokensOptions> = {}) {
  const clock = { now: 1_800_000_000_000 }
  const store = openInMemory({ now: () => clock.now })
  return { clock, store, tokens: tokensForTest(store, options) }
}

const makeSession = (store: SessionStore, id: string, more: object = {}) =>
  store.set(id, { cookie: { originalMaxAge: null }, userId: 'ada', ...more } as SessionData)

describe('an access token', () => {
  it('has the shape of RFC 9068, and names its session by the handle', async () => {
    const { clock, store, tokens } = open({
      scopes: () => ['notes:read', 'notes:write'],
      claims: () => ({ role: 'admin' }),
    })
    await makeSession(store, 'the-id', { signedInAt: clock.now - 5000 })
    const { accessToken, expiresIn, scope } = await tokens.fromSession({
      sessionID: 'the-id',
      sessionStore: store,
    })
    expect(decodeProtectedHeader(accessToken)).toEqual({
      alg: 'HS256',
      kid: expect.any(String),
      typ: 'at+jwt',
    })
    const seconds = clock.now / 1000
    expect(decodeJwt(accessToken)).toEqual({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'ada',
      client_id: 'session',
      iat: seconds,
      exp: seconds + expiresIn,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      sid: store.handle('the-id'),
      scope: 'notes:read notes:write',
      auth_time: seconds - 5,
      role: 'admin',
    })
    expect(scope).toBe('notes:read notes:write')
    expect(expiresIn).toBeGreaterThanOrEqual(285)
    expect(expiresIn).toBeLessThanOrEqual(300)
    expect(accessToken).not.toContain('the-id')
  })

  it('never lives longer than its session', async () => {
    const { clock, store, tokens } = open()
    const expires = new Date(clock.now + 60_000)
    await makeSession(store, 'id', { cookie: { originalMaxAge: 60_000, expires } })
    expect((await tokens.fromSession({ sessionID: 'id' })).expiresIn).toBe(60)
  })

  it('of a second is valid for a second, whenever in a second it is issued', async () => {
    const { clock, tokens } = open({ lifetime: 1000 })
    for (let part = 0; part < 1000; part += 50) {
      clock.now += 50
      expect((await tokens.grant({ userId: 'ada' }, { client: 'cli' })).expiresIn).toBe(1)
    }
  })

  it('has claims that nobody can change, although many requests share them', async () => {
    const { tokens } = open({ claims: () => ({ nested: { roles: ['user'] } }) })
    const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    const claims = await tokens.verify(accessToken)
    expect(() => {
      ;(claims.nested as { roles: string[] }).roles.push('admin')
    }).toThrow(TypeError)
    expect(await tokens.verify(accessToken)).toBe(claims)
  })

  it('is for one of the audiences', async () => {
    const { tokens } = open({ audience: ['https://a.example', 'https://b.example'] })
    const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    await tokens.verify(accessToken, { audience: 'https://b.example' })
    expect(await codeOf(tokens.verify(accessToken, { audience: 'https://c.example' }))).toBe('INVALID')
  })

  it('belongs to the user of its session, and to nobody else', async () => {
    const { store, tokens } = open({ freshness: 0 })
    await makeSession(store, 'id')
    const { accessToken } = await tokens.fromSession({ sessionID: 'id' })
    await store.update('id', (session) => ({ ...session, userId: 'eve' }))
    expect(await codeOf(tokens.verify(accessToken))).toBe('REVOKED')
  })

  it('is refused when it has expired, also where it was verified before', async () => {
    const { clock, tokens } = open()
    const { accessToken, expiresIn } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    await tokens.verify(accessToken)
    clock.now += (expiresIn + 4) * 1000
    await tokens.verify(accessToken)
    clock.now += 1000
    expect(await codeOf(tokens.verify(accessToken))).toBe('EXPIRED')
    expect(await codeOf(tokens.verify(accessToken))).toBe('EXPIRED')
  })

  it('works between hosts whose clocks differ by a minute', async () => {
    const clock = { now: Date.now() }
    const driver = memoryDriver()
    const on = (skew: number) =>
      tokensForTest(
        new SessionStore(driver, {
          user: (s: { userId?: string }) => s.userId,
          now: () => clock.now + skew,
          pruneInterval: false,
        }),
      )
    const [behind, right, ahead] = [on(-60_000), on(0), on(60_000)] as const
    for (const issuer of [behind, right, ahead])
      for (const verifier of [behind, right, ahead]) {
        const { accessToken, refreshToken } = await issuer.grant({ userId: 'ada' }, { client: 'cli' })
        expect(await verifier.verify(accessToken)).toMatchObject({ sub: 'ada' })
        let token = refreshToken
        for (let n = 0; n < 5; n++) {
          clock.now += 300_000
          const refreshed = await (n % 2 ? issuer : verifier).refresh(token)
          await (n % 2 ? verifier : issuer).verify(refreshed.accessToken)
          token = refreshed.refreshToken
        }
      }
  })
})

describe('what the application returns for a token', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  it.each([
    ['a reserved claim', { claims: () => ({ sub: 'eve' }) }],
    ['another reserved claim', { claims: () => ({ exp: 1 }) }],
    ['a cycle', { claims: () => cycle }],
    ['a BigInt', { claims: () => ({ n: 1n }) }],
    ['an array', { claims: () => [] as never }],
    ['text', { claims: () => 'admin' as never }],
    [
      'an error',
      {
        claims: () => {
          throw new Error('broken')
        },
      },
    ],
    ['a scope with a space', { scopes: () => ['a b'] }],
    ['a scope with a quote', { scopes: () => ['"'] }],
    ['text in place of scopes', { scopes: () => 'admin' as never }],
  ] satisfies [string, Partial<TokensOptions>][])('%s is refused', async (_name, options) => {
    const { store, tokens } = open(options)
    await makeSession(store, 'id')
    const error = await tokens.fromSession({ sessionID: 'id' }).catch((reason) => reason)
    expect(error).toMatchObject({ name: 'TokenError', code: 'INVALID_CLAIMS', status: 500 })
  })

  it('is refused where the token would be too long for a header', async () => {
    const { tokens } = open({ claims: () => ({ avatar: 'x'.repeat(3000) }) })
    expect(await codeOf(tokens.grant({ userId: 'ada' }, { client: 'cli' }))).toBe('TOO_LARGE')
  })
})

describe('a session', () => {
  it('that belongs to nobody, is not stored, or has ended gets no token', async () => {
    const { store, tokens } = open()
    await makeSession(store, 'anonymous', { userId: undefined })
    await makeSession(store, 'ended')
    await store.destroy('ended')
    for (const sessionID of ['anonymous', 'ended', 'unknown', undefined])
      expect(await codeOf(tokens.fromSession({ sessionID }))).toBe('NOT_SIGNED_IN')
    expect(await codeOf(tokens.grant({ cart: ['book'] }, { client: 'cli' }))).toBe('NOT_SIGNED_IN')
  })

  it('of another store is a mistake', async () => {
    const { store, tokens } = open()
    await makeSession(store, 'id')
    await expect(tokens.fromSession({ sessionID: 'id', sessionStore: openInMemory() })).rejects.toThrow(
      /another store/,
    )
  })

  it('that is granted does not take over the cookie or the family of its data', async () => {
    const { store, tokens } = open()
    const cookie = { originalMaxAge: 1, expires: new Date(0) }
    const tokenFamily = { n: 7, at: 0, seen: 0, client: 'evil', until: 0 }
    await tokens.grant({ userId: 'ada', cookie, tokenFamily } as never, { client: 'cli' })
    const { sessions } = await store.list({ user: 'ada' })
    expect(sessions[0]!.session.tokenFamily).toMatchObject({ n: 0, client: 'cli' })
  })
})

describe('revoke', () => {
  it('ends the session of either token, and with it all its tokens', async () => {
    const { clock, store, tokens } = open()
    for (const kind of ['refreshToken', 'accessToken'] as const) {
      const pair = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
      // An expired access token still names its session.
      clock.now += 3_600_000
      await tokens.revoke(pair[kind])
      expect(await codeOf(tokens.refresh(pair.refreshToken))).toBe('REVOKED')
      expect(await store.length()).toBe(0)
    }
  })

  it('of an unknown or forged token does nothing (RFC 7009, 2.2)', async () => {
    const { store, tokens } = open()
    const { accessToken, refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    const forged = `${accessToken.slice(0, -2)}AA`
    for (const token of ['', 'x', forged, `${refreshToken.slice(0, -2)}AA`]) await tokens.revoke(token)
    expect(await store.length()).toBe(1)
  })
})

describe('introspect', () => {
  it('says what a token says, or that it is not active and nothing else', async () => {
    const { clock, tokens } = open()
    const pair = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    const claims = decodeJwt(pair.accessToken)
    expect(await tokens.introspect(pair.accessToken)).toEqual({
      ...claims,
      active: true,
      token_type: 'access_token',
    })
    expect(await tokens.introspect(pair.refreshToken)).toEqual({
      active: true,
      token_type: 'refresh_token',
      client_id: 'cli',
      sub: 'ada',
      sid: claims.sid,
      exp: clock.now / 1000 + 30 * 86_400,
    })
    await tokens.revoke(pair.refreshToken)
    for (const token of [pair.accessToken, pair.refreshToken, 'x', ''])
      expect(await tokens.introspect(token)).toEqual({ active: false })
  })

  it('changes nothing: the token can still be used', async () => {
    const { clock, tokens } = open()
    const { refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    clock.now += 90_000
    await tokens.introspect(refreshToken)
    expect(await tokens.refresh(refreshToken)).toMatchObject({ rotated: true })
  })
})

describe('with a grace of 0', () => {
  it('a refresh token works once, also where its answer was lost', async () => {
    const { tokens } = open({ grace: 0 })
    const { refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    const second = await tokens.refresh(refreshToken)
    expect(second.rotated).toBe(true)
    expect(await codeOf(tokens.refresh(refreshToken))).toBe('REUSED')
    expect(await codeOf(tokens.refresh(second.refreshToken))).toBe('REVOKED')
  })

  it('a refresh token works once, also where the clock is set back', async () => {
    const { clock, tokens } = open({ grace: 0 })
    const { refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    clock.now -= 10_000
    expect(await tokens.refresh(refreshToken)).toMatchObject({ rotated: true })
    expect(await codeOf(tokens.refresh(refreshToken))).toBe('REUSED')
  })
})

describe('a database that lost writes', () => {
  it('continues with the newer token of the client', async () => {
    const { clock, store, tokens } = open()
    const { refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    clock.now += 90_000
    const second = await tokens.refresh(refreshToken)
    const { sessions } = await store.list()
    await store.update({ handle: sessions[0]!.handle }, (session) => ({
      ...session,
      tokenFamily: { ...session.tokenFamily!, n: 0 },
    }))
    expect(await tokens.refresh(second.refreshToken)).toMatchObject({ rotated: true })
  })
})

describe('secrets', () => {
  it('rotate: an older one is read, and one that was dropped is not', async () => {
    const store = openInMemory()
    const before = tokensForTest(store)
    const both = tokensForTest(store, { secret: [secrets[1]!, secrets[0]!] })
    const after = tokensForTest(store, { secret: secrets[1]! })
    const { accessToken, refreshToken } = await before.grant({ userId: 'ada' }, { client: 'cli' })
    await both.verify(accessToken)
    const moved = await both.refresh(refreshToken)
    await after.refresh(moved.refreshToken)
    expect(await codeOf(after.refresh(refreshToken))).toBe('INVALID')
    expect(await codeOf(after.verify(accessToken))).toBe('INVALID')
    expect(new TokenError('INVALID', 'x').status).toBe(401)
  })
})
