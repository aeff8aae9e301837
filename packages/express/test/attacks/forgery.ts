import { generateKey } from '@session-stores/token'
import type { JWK } from 'jose'
import { expect } from 'vitest'
import { AUDIENCE, codeOf, ISSUER } from '../../../token/test/support/tokens.ts'
import { decode, encode, type MakePlace, openSite, sign } from './site.ts'

/** The order of the group of P-256 (SEC 2, 2.4.2). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** Makes another signature of ECDSA that is also valid: (r, n - s) in place of (r, s). */
function twinOf(token: string): string {
  const [header, body, signature] = token.split('.') as [string, string, string]
  const bytes = Buffer.from(signature, 'base64url')
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const other = Buffer.from((P256_ORDER - s).toString(16).padStart(64, '0'), 'hex')
  return `${header}.${body}.${Buffer.concat([bytes.subarray(0, 32), other]).toString('base64url')}`
}

export async function changesTheAlgorithm(makePlace: MakePlace): Promise<void> {
  const { tokens, statusOf } = await openSite(makePlace())
  const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
  const [, body, signature] = accessToken.split('.')
  const header = decode(accessToken, 0)
  expect(await statusOf(accessToken)).toBe(200)
  for (const alg of ['none', 'None', 'HS256', 'es256', 'ES384', 'EdDSA'])
    for (const end of ['', signature])
      expect(await statusOf(`${encode({ ...header, alg })}.${body}.${end}`), alg).toBe(401)
}

export async function bringsItsOwnKey(makePlace: MakePlace): Promise<void> {
  const { tokens, statusOf } = await openSite(makePlace())
  const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
  const [header, claims] = [decode(accessToken, 0), decode(accessToken, 1)]
  const evil = JSON.parse(generateKey()) as JWK
  const { d: _d, ...jwk } = evil
  for (const more of [{ jwk }, { jku: 'http://127.0.0.1:9/' }, { x5u: 'http://127.0.0.1:9/' }, {}])
    expect(await statusOf(await sign({ ...header, ...more }, claims, evil))).toBe(401)
  for (const kid of ['../../dev/null', "' OR ''='", '', undefined])
    expect(await statusOf(await sign({ ...header, kid }, claims))).toBe(401)
  expect(await statusOf(await sign(header, claims))).toBe(200)
}

export async function presentsAnotherKind(makePlace: MakePlace): Promise<void> {
  const { tokens, statusOf } = await openSite(makePlace())
  const { accessToken, refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
  const [header, claims] = [decode(accessToken, 0), decode(accessToken, 1)]
  const idToken = { iss: ISSUER, aud: 'cli', sub: 'ada', iat: claims.iat, exp: claims.exp }
  for (const token of [
    refreshToken,
    await sign({ ...header, typ: 'JWT' }, claims),
    await sign({ ...header, typ: 'JWT' }, idToken),
    await sign(header, idToken),
    await sign(header, { ...claims, aud: 'cli' }),
    await sign(header, { ...claims, sid: undefined }),
    await sign(header, { ...claims, jti: undefined }),
  ])
    expect(await statusOf(token)).toBe(401)
  // An access token is no refresh token either.
  expect(await codeOf(tokens.refresh(accessToken))).toBe('MALFORMED')
  expect(AUDIENCE).toBe(claims.aud)
}

export async function presentsTheTwin(makePlace: MakePlace): Promise<void> {
  const { store, tokens } = await openSite(makePlace())
  const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
  const twin = twinOf(accessToken)
  // To whoever denies tokens by their text, or its hash, the twin is another token.
  expect(await tokens.verify(twin)).toMatchObject({ sub: 'ada' })
  await store.revokeUser('ada')
  for (const token of [accessToken, twin, `${accessToken}=`, twinOf(twin)])
    expect(await codeOf(tokens.verify(token))).toMatch(/^(REVOKED|MALFORMED)$/)
}
