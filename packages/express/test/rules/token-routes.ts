import { generateKey } from '@session-stores/token'
import { describe, expect, it } from 'vitest'
import { openFailing, openInMemory } from '../../../token/test/support/databases.ts'
import type { HttpRequest } from '../../src/http/index.ts'
import type { Host } from '../support/host.ts'
import { type SendOptions, send } from '../support/site.ts'
import { bearer, openTokenSite } from '../support/token-site.ts'

/** Declares the rules of the routes of tokens under a framework. */
export function declareTokenRoutes(host: Host): void {
  describe(`on ${host.name}, the routes`, () => {
    it('POST /token gives the page of a signed-in user a token', async () => {
      const { ask, cookie } = await openTokenSite({ host, auth: { from: ['header'] } })
      const { status, headers, body } = await ask('/token', { method: 'POST', headers: { cookie } })
      expect([status, headers['cache-control'], body]).toEqual([
        200,
        'no-store',
        { access_token: expect.any(String), token_type: 'Bearer', expires_in: expect.any(Number) },
      ])
      expect((await ask('/api', { headers: bearer(body.access_token) })).body.auth.user).toBe('ada')
    })

    it('POST /token refuses visitors and other sites', async () => {
      const { ask, cookie } = await openTokenSite({ host, checksOrigin: false })
      expect((await ask('/token', { method: 'POST' })).body.code).toBe('NOT_SIGNED_IN')
      const { status, body } = await ask('/token', {
        method: 'POST',
        headers: { cookie, 'sec-fetch-site': 'same-site' },
      })
      expect([status, body.code]).toEqual([403, 'CROSS_SITE'])
    })

    it.each(['JSON', 'a form'])('POST /token refreshes, by %s', async (kind) => {
      const clock = { now: Date.now() }
      const store = openInMemory({ now: () => clock.now })
      const { ask, refreshToken } = await openTokenSite({ host, store })
      const fields = { grant_type: 'refresh_token', refresh_token: refreshToken }
      const sent = (values: object): SendOptions =>
        kind === 'JSON'
          ? { method: 'POST', body: values }
          : {
              method: 'POST',
              body: new URLSearchParams(values as never).toString(),
              headers: { 'content-type': 'application/x-www-form-urlencoded' },
            }
      const { status, body } = await ask('/token', sent(fields))
      expect([status, body]).toEqual([
        200,
        {
          access_token: expect.any(String),
          token_type: 'Bearer',
          expires_in: expect.any(Number),
        },
      ])
      clock.now += 90_000
      const rotated = await ask('/token', sent(fields))
      expect(rotated.body.refresh_token).toMatch(/^rt_[\w-]{64}$/)
      expect(rotated.body.refresh_token).not.toBe(refreshToken)
      const bad = await ask('/token', sent({ ...fields, refresh_token: 'rt_x' }))
      expect([bad.status, bad.body]).toEqual([
        400,
        expect.objectContaining({ error: 'invalid_grant', code: 'MALFORMED' }),
      ])
    })

    it.each([
      ['another grant type', { grant_type: 'password' }, 'unsupported_grant_type'],
      ['no refresh token', { grant_type: 'refresh_token' }, 'invalid_request'],
      ['a list', { grant_type: 'refresh_token', refresh_token: ['a', 'b'] }, 'invalid_request'],
      ['an object', { grant_type: 'refresh_token', refresh_token: { $ne: null } }, 'invalid_request'],
      ['a number', { grant_type: 'refresh_token', refresh_token: 1 }, 'invalid_request'],
      ['broken JSON', '{"grant_type":', 'invalid_request'],
      ['too much', { grant_type: 'refresh_token', refresh_token: 'x'.repeat(20_000) }, 'invalid_request'],
    ])('POST /token with %s is refused', async (_name, body, error) => {
      const { ask } = await openTokenSite({ host })
      const headers = { 'content-type': 'application/json' }
      const answer = await ask('/token', { method: 'POST', body, headers })
      expect([answer.status >= 400 && answer.status < 500, answer.body.error]).toEqual([true, error])
    })

    it('POST /revoke ends the session of a token, and says nothing of others', async () => {
      const { ask, accessToken, refreshToken } = await openTokenSite({ host })
      for (const token of ['unknown', refreshToken, refreshToken])
        expect(await ask('/revoke', { method: 'POST', body: { token } })).toMatchObject({
          status: 200,
          body: undefined,
        })
      expect((await ask('/api', { headers: bearer(accessToken) })).body.code).toBe('REVOKED')
      expect((await ask('/revoke', { method: 'POST', body: {} })).status).toBe(400)
    })

    it('POST /introspect answers those who may ask', async () => {
      const introspect = ({ headers }: HttpRequest) => headers['x-service'] === 'secret'
      const { ask, accessToken } = await openTokenSite({ host, routes: { introspect } })
      const body = { token: accessToken }
      expect((await ask('/introspect', { method: 'POST', body })).status).toBe(401)
      const headers = { 'x-service': 'secret' }
      expect((await ask('/introspect', { method: 'POST', body, headers })).body).toMatchObject({
        active: true,
        sub: 'eve',
      })
      expect((await ask('/introspect', { method: 'POST', body: { token: 'x' }, headers })).body).toEqual({
        active: false,
      })
      expect((await (await openTokenSite({ host })).ask('/.well-known/jwks.json')).body).toEqual({ keys: [] })
    })

    it('publish the keys', async () => {
      const { ask } = await openTokenSite({ host, tokens: { keys: [generateKey()] } })
      const { headers, body } = await ask('/.well-known/jwks.json')
      expect([headers['cache-control'], body.keys[0].alg, body.keys[0].d]).toEqual([
        'public, max-age=300',
        'ES256',
        undefined,
      ])
    })

    it('that are off are not there', async () => {
      const { origin } = await openTokenSite({
        host,
        routes: { session: false, refresh: false, revoke: false, jwks: false },
      })
      for (const [path, method] of [
        ['/token', 'POST'],
        ['/revoke', 'POST'],
        ['/introspect', 'POST'],
        ['/.well-known/jwks.json', 'GET'],
      ] as const)
        expect((await send(origin + path, { method })).status, path).toBe(404)
    })

    it('answer with 503 and change nothing while the store is down', async () => {
      const { state, store } = openFailing()
      const { ask, cookie, accessToken, refreshToken } = await openTokenSite({
        host,
        store,
        tokens: { freshness: 0 },
      })
      state.isDown = true
      const body = { grant_type: 'refresh_token', refresh_token: refreshToken }
      for (const answer of [
        await ask('/token', { method: 'POST', body }),
        await ask('/revoke', { method: 'POST', body: { token: refreshToken } }),
        await ask('/api', { headers: bearer(accessToken) }),
        await ask('/token', { method: 'POST', headers: { cookie } }),
      ])
        expect([answer.status, answer.body.code, answer.headers['retry-after'], answer.cookies]).toEqual([
          503,
          'UNAVAILABLE',
          '1',
          [],
        ])
      state.isDown = false
      expect((await ask('/token', { method: 'POST', body })).status).toBe(200)
      expect((await ask('/token', { method: 'POST', headers: { cookie } })).status).toBe(200)
    })
  })
}
