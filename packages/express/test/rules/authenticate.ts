import { describe, expect, it } from 'vitest'
import type { Host } from '../support/host.ts'
import type { SendOptions } from '../support/site.ts'
import { bearer, openTokenSite } from '../support/token-site.ts'

/** Declares the rules of `authenticate` under a framework. */
export function declareAuthenticate(host: Host): void {
  describe(`on ${host.name}, authenticate`, () => {
    it('takes a Bearer token from the header', async () => {
      const { ask, accessToken, store } = await openTokenSite({ host })
      const { status, body } = await ask('/api', { headers: bearer(accessToken) })
      const { sessions } = await store.list({ user: 'eve' })
      expect([status, body.auth]).toEqual([
        200,
        expect.objectContaining({ user: 'eve', via: 'header', sid: sessions[0]!.handle }),
      ])
      expect(body.auth.claims).toMatchObject({ sub: 'eve', client_id: 'cli' })
      expect((await ask('/api', { headers: { authorization: `bearer ${accessToken}` } })).status).toBe(200)
    })

    it('answers as RFC 6750 says, and with a stable code', async () => {
      const { ask, accessToken, refreshToken, tokens, cookie } = await openTokenSite({ host })
      const none = await ask('/api', { headers: { cookie } })
      expect([none.status, none.headers['www-authenticate'], none.headers['cache-control']]).toEqual([
        401,
        'Bearer',
        'no-store',
      ])
      expect(none.body).toMatchObject({ error: 'unauthorized', code: 'NO_TOKEN' })
      await tokens.revoke(refreshToken)
      for (const [token, code] of [
        [accessToken, 'REVOKED'],
        [`${accessToken}x`, 'INVALID'],
        ['x', 'MALFORMED'],
        ['', 'MALFORMED'],
      ] as const) {
        const { status, headers, body } = await ask('/api', { headers: bearer(token) })
        expect([status, body.code, body.error]).toEqual([401, code, 'invalid_token'])
        expect(headers['www-authenticate']).toMatch(
          /^Bearer error="invalid_token", error_description="[^"]+"$/,
        )
        expect(JSON.stringify([headers, body])).not.toContain(accessToken.split('.')[2])
      }
    })

    it('never reads a token from the URL or the body', async () => {
      const { ask, accessToken } = await openTokenSite({ host })
      expect((await ask(`/api?access_token=${accessToken}`)).body.code).toBe('NO_TOKEN')
      expect((await ask('/api', { method: 'POST', body: { access_token: accessToken } })).body.code).toBe(
        'NO_TOKEN',
      )
    })

    it('lets one credential count: a bad token is not rescued by a session, nor the other way round', async () => {
      const { ask, accessToken, cookie } = await openTokenSite({
        host,
        auth: { from: ['session', 'header'] },
      })
      const userOf = async (headers: SendOptions['headers']) => {
        const { body } = await ask('/api', { headers: headers! })
        return body.auth ? [body.auth.user, body.auth.via] : body.code
      }
      expect(await userOf({ cookie })).toEqual(['ada', 'session'])
      expect(await userOf({ ...bearer(accessToken) })).toEqual(['eve', 'header'])
      expect(await userOf({ cookie, ...bearer(accessToken) })).toEqual(['eve', 'header'])
      expect(await userOf({ cookie, ...bearer('bad') })).toBe('MALFORMED')
      expect(await userOf({ cookie, authorization: 'Basic x' })).toEqual(['ada', 'session'])
      expect(await userOf({ cookie: `${cookie}; ${cookie}`, ...bearer(accessToken) })).toBe('AMBIGUOUS')
      expect(await userOf({ authorization: [`Bearer ${accessToken}`, `Bearer ${accessToken}`] })).toBe(
        'AMBIGUOUS',
      )
    })

    it('takes no token where only sessions are asked for', async () => {
      const { ask, accessToken, cookie } = await openTokenSite({ host, auth: { from: ['session'] } })
      expect((await ask('/api', { headers: { cookie, ...bearer(accessToken) } })).body.code).toBe('AMBIGUOUS')
    })

    it('refuses a session that another site sends, also where nothing else checks', async () => {
      const { ask, cookie, accessToken } = await openTokenSite({
        host,
        auth: { from: ['session', 'header'] },
        checksOrigin: false,
      })
      const elsewhere = { cookie, 'sec-fetch-site': 'cross-site' }
      expect((await ask('/api', { method: 'POST', headers: elsewhere })).body.code).toBe('CROSS_SITE')
      expect(
        (await ask('/api', { method: 'POST', headers: { ...elsewhere, ...bearer(accessToken) } })).status,
      ).toBe(200)
      expect((await ask('/api', { headers: elsewhere })).status).toBe(200)
    })

    it('with required: false lets visitors in, but no bad token', async () => {
      const { ask } = await openTokenSite({ host, auth: { required: false } })
      expect((await ask('/api')).body).toEqual({ auth: null })
      expect((await ask('/api', { headers: bearer('bad') })).status).toBe(401)
    })

    it('asks for scopes, of tokens and of sessions', async () => {
      const scopes = ({ userId }: { userId?: string }) => (userId === 'ada' ? ['read', 'write'] : ['read'])
      const { ask, cookie, accessToken } = await openTokenSite({
        host,
        tokens: { scopes },
        auth: { from: ['session', 'header'], scope: 'read write' },
      })
      expect((await ask('/api', { headers: { cookie } })).body.auth.scopes).toEqual(['read', 'write'])
      const { status, headers, body } = await ask('/api', { headers: bearer(accessToken) })
      expect([status, headers['www-authenticate'], body.code]).toEqual([
        403,
        'Bearer error="insufficient_scope"',
        'INSUFFICIENT_SCOPE',
      ])
    })

    it('takes an access token from its cookie where the application asks for that', async () => {
      const { ask, cookie } = await openTokenSite({
        host,
        routes: { cookie: true },
        auth: { from: ['cookie'] },
      })
      const { cookies } = await ask('/token', { method: 'POST', headers: { cookie } })
      expect(cookies).toEqual([
        expect.stringMatching(
          /^__Host-access=[\w.-]+; Path=\/; Expires=.*; HttpOnly; Secure; SameSite=Lax; Max-Age=\d+$/,
        ),
      ])
      const access = cookies[0]!.split(';')[0]!
      expect((await ask('/api', { headers: { cookie: access } })).body.auth).toMatchObject({
        user: 'ada',
        via: 'cookie',
      })
      expect((await ask('/api', { headers: { cookie: `${access}; ${access}` } })).body.code).toBe('AMBIGUOUS')
      expect(
        (await ask('/api', { method: 'POST', headers: { cookie: access, 'sec-fetch-site': 'cross-site' } }))
          .status,
      ).toBe(403)
    })
  })
}
